#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <charconv>
#include <cmath>
#include <limits>

#include "bitplan/plot.h"
#include "cost/error_message.h"

namespace bitplan {
namespace {

TEST(ToCsv, WritesHeaderAndRows) {
  EXPECT_EQ(ToCsv({"layer", "trace", "bits"}, {{"conv1", 0.5, 4}, {"fc", -1e-20, 8}}),
            "layer,trace,bits\nconv1,0.5,4\nfc,-1e-20,8\n");
  EXPECT_EQ(ToCsv({"a"}, {}), "a\n");
}

TEST(ToCsv, QuotesWhatMustBe) {
  EXPECT_EQ(ToCsv({"a,b", "c"}, {{"say \"x\"", "two\nlines"}, {"cr\r", " blank "}, {"", "plain text"}}),
            "\"a,b\",c\n\"say \"\"x\"\"\",\"two\nlines\"\n\"cr\r\",\" blank \"\n,plain text\n");
}

TEST(ToCsv, LeavesNoLineEmpty) { EXPECT_EQ(ToCsv({"a"}, {{""}, {"x"}}), "a\n\"\"\nx\n"); }

TEST(ToCsv, NumbersReadBackTheSameInFewDigits) {
  using Limits = std::numeric_limits<double>;
  for (const double number : {0.1, 1.0 / 3, 1e22, 6.02214076e23, -0.0, Limits::max(), Limits::min(),
                              Limits::denorm_min(), std::nextafter(1.0, 2.0), 123456789012345680.0}) {
    const std::string text = ToCsv({"x"}, {{number}}).substr(2);
    double read = 0;
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), read);
    EXPECT_EQ(*end, '\n') << text;
    EXPECT_EQ(read, number) << text;
    EXPECT_EQ(std::signbit(read), std::signbit(number)) << text;
  }
  EXPECT_EQ(ToCsv({"x", "y", "z"}, {{0.1, 3.0, std::numeric_limits<std::int64_t>::min()}}),
            "x,y,z\n0.1,3,-9223372036854775808\n");
  EXPECT_EQ(ToCsv({"x", "y", "z"}, {{Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN()}}),
            "x,y,z\ninf,-inf,nan\n");
}

TEST(ToCsv, RefusesWhatIsNoTable) {
  EXPECT_THAT([] { ToCsv({}, {}); }, OneLineError("no columns"));
  EXPECT_THAT([] { ToCsv({"a", "b"}, {{1, 2}, {1}}); }, OneLineError("row 1 has 1 cells", "expected 2"));
}

}  // namespace
}  // namespace bitplan
