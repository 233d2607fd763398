#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "bitplan/network.h"
#include "network/model_case.h"

namespace bitplan::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

using Values = std::map<std::string, std::string>;

/// make_batches.py: forward(x, rate: int, gain: float = 1, sign: bool = False, mode: str = "plain", shift: int? =
/// None).
Network Load(const Values& values) {
  NetworkOptions options;
  options.input_values = values;
  return Network::Load(std::filesystem::path(BITPLAN_TEST_DIR) / "network" / "batches" / "values.pt", options);
}

std::string Message(const Values& values) {
  return MessageOf([&] { Load(values); });
}

TEST(InputValue, IsWhatForwardIsGiven) {
  std::ifstream file(std::filesystem::path(BITPLAN_TEST_DIR) / "network" / "batches" / "values.json");
  const auto json = nlohmann::json::parse(file);
  const Network network =
      Load({{"rate", "16000"}, {"gain", "0.5"}, {"sign", "true"}, {"mode", "square"}, {"shift", "2"}});
  EXPECT_LE(MaxDifference(network.Forward({ToTensor(json.at("inputs")[0])}), ToTensor(json.at("output"))), 1e-4);
}

TEST(InputValue, MayBeLeftOutWhereThereIsADefault) {
  const at::Tensor x = at::randn({3, 3});
  EXPECT_LE(MaxDifference(Load({{"rate", "1000"}}).Forward({x}),
                          Load({{"rate", "1000"}, {"gain", "1"}, {"sign", "false"}, {"shift", "none"}}).Forward({x})),
            0);
  EXPECT_THAT(Message({}), AllOf(HasSubstr("'rate'"), HasSubstr("int"), HasSubstr("--input-value rate=16000")));
}

TEST(InputValue, IsKeptInOneWayOfWriting) {
  EXPECT_EQ(Load({{"rate", "016000"}, {"gain", "5e-1"}}).input_values(), (Values{{"rate", "16000"}, {"gain", "0.5"}}));
}

TEST(InputValue, OfAnotherTypeIsRefused) {
  EXPECT_THAT(Message({{"rate", "fast"}}), AllOf(HasSubstr("rate=fast"), HasSubstr("int")));
  EXPECT_THAT(Message({{"rate", "1.5"}}), HasSubstr("int"));
  EXPECT_THAT(Message({{"rate", ""}}), HasSubstr("int"));
  EXPECT_THAT(Message({{"rate", "none"}}), HasSubstr("int"));
  EXPECT_THAT(Message({{"rate", "99999999999999999999"}}), HasSubstr("int"));
  EXPECT_THAT(Message({{"rate", "1"}, {"sign", "yes"}}), AllOf(HasSubstr("bool"), HasSubstr("sign=true")));
  EXPECT_THAT(Message({{"rate", "1"}, {"gain", "nan"}}), HasSubstr("float"));
}

TEST(InputValue, OfNoSuchInputIsRefusedWithThoseThatThereAre) {
  EXPECT_THAT(Message({{"rate", "1"}, {"speed", "2"}}),
              AllOf(HasSubstr("speed=2"), HasSubstr("no such input"), HasSubstr("rate (int)"), HasSubstr("shift")));
  EXPECT_THAT(Message({{"rate", "1"}, {"x", "2"}}), HasSubstr("x=2"));
  EXPECT_THAT(Message({{"rate", "1"}, {"self", "2"}}), HasSubstr("no such input"));
}

}  // namespace
}  // namespace bitplan::test
