#include "ticks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <regex>
#include <string>

namespace bitplan::plot {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> Labels(const Ticks& ticks) {
  std::vector<std::string> labels;
  for (const Tick& tick : ticks.ticks)
    if (!tick.label.empty()) labels.push_back(tick.label);
  return labels;
}

TEST(LinearTicks, StepBy125) {
  EXPECT_THAT(Labels(LinearTicks(0, 10, 6)), ElementsAre("0", "2", "4", "6", "8", "10"));
  EXPECT_THAT(Labels(LinearTicks(0, 10, 4)), ElementsAre("0", "5", "10"));
  EXPECT_THAT(Labels(LinearTicks(-0.13, 0.33, 6)), ElementsAre("−0.1", "0", "0.1", "0.2", "0.3"));
  EXPECT_THAT(Labels(LinearTicks(0.121, 0.139, 5)), ElementsAre("0.125", "0.130", "0.135"));
}

TEST(LinearTicks, ShortenLabelsByAFactor) {
  const Ticks large = LinearTicks(0, 3.1e6, 4), small = LinearTicks(0, 3.1e-5, 4);
  EXPECT_THAT(Labels(large), ElementsAre("0", "1", "2", "3"));
  EXPECT_EQ(large.factor, "×10⁶");
  EXPECT_THAT(Labels(small), ElementsAre("0", "10", "20", "30"));
  EXPECT_EQ(small.factor, "×10⁻⁶");
  EXPECT_EQ(LinearTicks(0, 90000, 4).factor, "");
  EXPECT_EQ(LinearTicks(0, 0.002, 4).factor, "");
}

std::string Replaced(const std::string& text, const std::string& from, const std::string& to) {
  return std::regex_replace(text, std::regex(from), to);
}

/// The number that a label and its factor stand for.
double Meaning(const std::string& label, const std::string& factor) {
  std::string exponent = Replaced(Replaced(factor, "×10", ""), "⁻", "-");
  const std::vector<std::string> superscripts = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  for (std::size_t digit = 0; digit < 10; ++digit)
    exponent = Replaced(exponent, superscripts[digit], std::to_string(digit));
  return std::stod(Replaced(label, "−", "-") + "e" + (exponent.empty() ? "0" : exponent));
}

TEST(LinearTicks, AreWhereTheirLabelsSayAndNotTooMany) {
  for (const double low : {0.0, -1.0, 0.37, 99.0, -12345.6, 1e-3, 5e7})
    for (const double span : {1e-4, 0.02, 1.0, 7.3, 999.0, 1e5, 3e9, 1e300})
      for (const int most : {2, 5, 9}) {
        const Ticks ticks = LinearTicks(low, low + span, most);
        EXPECT_LE(ticks.ticks.size(), static_cast<std::size_t>(most));
        EXPECT_GE(ticks.ticks.size(), static_cast<std::size_t>(most) / 3) << low << ' ' << span << ' ' << most;
        for (const Tick& tick : ticks.ticks) {
          const double rounding = 1e-15 * (span + std::abs(low));
          EXPECT_GE(tick.position, low - rounding);
          EXPECT_LE(tick.position, low + span + rounding);
          EXPECT_NEAR(Meaning(tick.label, ticks.factor), tick.position, rounding) << tick.label;
        }
      }
}

TEST(LogTicks, AreDecades) {
  EXPECT_THAT(Labels(LogTicks(-3.2, 2.1, 8)), ElementsAre("0.001", "0.01", "0.1", "1", "10", "100"));
  EXPECT_THAT(Labels(LogTicks(-6.1, -1.9, 8)), ElementsAre("10⁻⁶", "10⁻⁵", "10⁻⁴", "10⁻³", "10⁻²"));
  EXPECT_THAT(Labels(LogTicks(-12.5, 12.5, 6)), ElementsAre("10⁻¹⁰", "10⁻⁵", "10⁰", "10⁵", "10¹⁰"));
}

TEST(LogTicks, AreOneTwoFiveWhereDecadesAreFew) {
  EXPECT_THAT(Labels(LogTicks(0.1, 2.1, 6)), ElementsAre("2", "5", "10", "20", "50", "100"));
  EXPECT_THAT(Labels(LogTicks(-7.1, -6.2, 6)), ElementsAre("10⁻⁷", "2×10⁻⁷", "5×10⁻⁷"));
}

TEST(LogTicks, AreLinearStepsWithinADecade) {
  const Ticks ticks = LogTicks(std::log10(31), std::log10(39), 5);
  EXPECT_THAT(Labels(ticks), ElementsAre("32", "34", "36", "38"));
  EXPECT_DOUBLE_EQ(ticks.ticks[1].position, std::log10(34));
  const Ticks small = LogTicks(std::log10(3.1e-9), std::log10(3.9e-9), 5);
  EXPECT_THAT(Labels(small), ElementsAre("3.2", "3.4", "3.6", "3.8"));
  EXPECT_EQ(small.factor, "×10⁻⁹");
}

TEST(LogTicks, HaveMinorTicksAtEveryDigit) {
  const Ticks ticks = LogTicks(-0.01, 5.01, 7);
  EXPECT_THAT(Labels(ticks), ElementsAre("10⁰", "10¹", "10²", "10³", "10⁴", "10⁵"));
  int between = 0;
  for (const Tick& tick : ticks.ticks) between += tick.label.empty() && tick.position != std::round(tick.position);
  EXPECT_EQ(between, 5 * 8);
}

}  // namespace
}  // namespace bitplan::plot
