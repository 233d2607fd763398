#include "files/fields.h"

#include <gmock/gmock.h>

#include <cstdint>

#include "bitplan/error.h"
#include "files/kept_options.h"
#include "message_of.h"

namespace bitplan::files_test {

enum class Color { Red, Green };
std::string_view ToString(Color color) { return color == Color::Red ? "red" : "green"; }

struct Inner {
  double tolerance = 0.5;
};

struct Sample {
  int count = 3;
  std::uint64_t seed = 18446744073709551615U;
  Color color = Color::Green;
  std::vector<Color> colors = {Color::Red};
  std::optional<double> maybe = {};
  std::map<std::string, std::string> texts = {{"a", "b"}};
  std::vector<Inner> inner = {Inner{}};
  Inner one;
  std::filesystem::path file = "folder/file";
  std::function<void(int)> call = {};
};

}  // namespace bitplan::files_test

BITPLAN_FIELDS(bitplan::files_test::Inner, tolerance);
BITPLAN_FIELDS(bitplan::files_test::Sample, count, seed, color, colors, maybe, texts, inner, one, file, call);

namespace bitplan::files_test {
namespace {

using ::testing::HasSubstr;

TEST(OptionsJson, HasEveryMemberInTheOrderOfTheStruct) {
  EXPECT_EQ(files::OptionsJson(Sample{}).dump(),
            R"({"count":3,"seed":18446744073709551615,"color":"green","colors":["red"],"maybe":null,)"
            R"("texts":{"a":"b"},"inner":[{"tolerance":0.5}],"one":{"tolerance":0.5},"file":"folder/file",)"
            R"("call":false})");
  Sample sample;
  sample.maybe = 0.25;
  sample.call = [](int) {};
  EXPECT_EQ(files::OptionsJson(sample, {"count", "seed", "colors", "texts", "inner", "one", "file"}).dump(),
            R"({"color":"green","maybe":0.25,"call":true})");
}

TEST(KeptOptions, AreThoseThatCountOrWereNotSet) {
  Sample used;
  used.count = 7;
  used.one.tolerance = 1;
  Sample given;
  const auto message = [&] { return MessageOf([&] { files::RequireKept("stage", given, used); }); };
  EXPECT_EQ(message(), "no error");
  given.count = 7;
  EXPECT_EQ(message(), "no error");
  given.count = 8;
  EXPECT_THAT(message(), HasSubstr("stage.count is 8, but 7 counts"));
  given.count = 3;
  given.one.tolerance = 2;
  EXPECT_THAT(message(), HasSubstr("stage.one.tolerance is 2, but 1 counts"));
  given.one.tolerance = 0.5;
  given.call = [](int) {};
  EXPECT_THAT(message(), HasSubstr("stage.call"));
}

}  // namespace
}  // namespace bitplan::files_test
