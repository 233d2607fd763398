#include "decode/cifar.h"

#include <gmock/gmock.h>

#include <numeric>

#include "data/error_message.h"
#include "data/fixtures.h"
#include "decode/array_matcher.h"

namespace bitplan::decode {
namespace {

using test::ErrorMessage;
using testing::AllOf;
using testing::HasSubstr;

void ExpectLabeledImages(const LabeledImages& decoded, const nlohmann::json& expected) {
  EXPECT_EQ(decoded.images.type, ElementType::UInt8);
  EXPECT_EQ(decoded.images.shape, expected.at("shape").get<std::vector<std::int64_t>>());
  std::int64_t weighted_sum = 0;
  for (std::size_t i = 0; i < decoded.images.bytes.size(); ++i) {
    weighted_sum += static_cast<std::int64_t>(i + 1) * decoded.images.bytes[i];
  }
  EXPECT_EQ(weighted_sum, expected.at("weighted_sum").get<std::int64_t>());
  EXPECT_EQ(decoded.labels.type, ElementType::Int64);
  EXPECT_EQ(test::Elements<std::int64_t>(decoded.labels), expected.at("labels").get<std::vector<std::int64_t>>());
}

TEST(Cifar, DecodesRecordsOfOneLabelByte) {
  ExpectLabeledImages(DecodeCifar10(test::FixtureBytes("cifar10.bin"), "f"), test::Expected().at("cifar10.bin"));
}

TEST(Cifar, TakesTheFineLabelOfTwo) {
  ExpectLabeledImages(DecodeCifar100(test::FixtureBytes("cifar100.bin"), "f"), test::Expected().at("cifar100.bin"));
}

TEST(Cifar, DecodesTheBundledImages) {
  for (const auto& [name, count] : {std::pair("train.bin", 1024), std::pair("test.bin", 1017)}) {
    const auto bytes = test::FileBytes(std::filesystem::path(BITPLAN_EXAMPLES_DIR) / "cifar10" / name);
    const LabeledImages decoded = DecodeCifar10(bytes, name);
    EXPECT_EQ(decoded.images.shape, (std::vector<std::int64_t>{count, 3, 32, 32}));
    EXPECT_EQ(decoded.images.bytes.front(), bytes[1]);
    EXPECT_EQ(decoded.images.bytes.back(), bytes.back());
  }
}

TEST(Cifar, SaysWhichRecordIsCutOff) {
  const std::vector<std::uint8_t> bytes(512 * 3073 + 1);
  EXPECT_EQ(ErrorMessage([&] { DecodeCifar10(bytes, "train.bin"); }),
            "train.bin: record 512 is cut off: 1,573,377 bytes are not a multiple of 3,073 (CIFAR-10 records)");
}

TEST(Cifar, SaysThatTheOtherKindFits) {
  EXPECT_THAT(ErrorMessage([] { DecodeCifar10(test::FixtureBytes("cifar100.bin"), "f"); }), HasSubstr("try cifar100:"));
  EXPECT_THAT(ErrorMessage([] { DecodeCifar100(test::FixtureBytes("cifar10.bin"), "f"); }), HasSubstr("try cifar10:"));
}

TEST(Cifar, RefusesLabelsOutOfRange) {
  auto bytes = test::FixtureBytes("cifar10.bin");
  bytes[3073] = 10;
  EXPECT_THAT(ErrorMessage([&] { DecodeCifar10(bytes, "f.bin"); }),
              AllOf(HasSubstr("f.bin: record 1 (byte 3,073): label 10"), HasSubstr("0 … 9")));
  bytes = test::FixtureBytes("cifar100.bin");
  bytes[1] = 100;
  EXPECT_THAT(ErrorMessage([&] { DecodeCifar100(bytes, "f.bin"); }),
              AllOf(HasSubstr("record 0 (byte 1): fine label 100"), HasSubstr("0 … 99")));
  bytes = test::FixtureBytes("cifar100.bin");
  bytes[3074] = 20;
  EXPECT_THAT(ErrorMessage([&] { DecodeCifar100(bytes, "f.bin"); }),
              AllOf(HasSubstr("record 1 (byte 3,074): coarse label 20"), HasSubstr("0 … 19")));
}

TEST(Cifar, RefusesAnEmptyFile) {
  EXPECT_THAT(ErrorMessage([] { DecodeCifar10({}, "f.bin"); }), HasSubstr("f.bin: is empty"));
}

}  // namespace
}  // namespace bitplan::decode
