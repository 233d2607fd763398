#include "calibration/codebook.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <stdexcept>

#include "calibration/double_quantize.h"
#include "calibration/normal_float.h"

namespace bitplan::calibration {
namespace {

/// Levels by code.
std::map<int, double> ByCode(NumberType type, int bits) {
  const Codebook book = CodebookOf(type, bits);
  EXPECT_TRUE(std::is_sorted(book.levels.begin(), book.levels.end()));
  EXPECT_EQ(book.codes.size(), book.levels.size());
  EXPECT_EQ(book.tie_goes_up.size() + 1, book.levels.size());
  std::map<int, double> levels;
  for (std::size_t i = 0; i < book.levels.size(); ++i)
    EXPECT_TRUE(levels.emplace(book.codes[i], book.levels[i]).second);
  return levels;
}

TEST(Codebook, OfE2M1IsTheTableOfTheSpecification) {
  // Open Compute Project, Microscaling Formats 1.0 (2023), table 5: codes 0000 … 0111; the others are their negatives.
  const std::map<int, double> levels = ByCode(NumberType::E2M1, 4);
  const std::vector<double> published = {0, 0.5, 1, 1.5, 2, 3, 4, 6};
  for (std::size_t code = 0; code < 8; ++code) {
    EXPECT_EQ(levels.at(static_cast<int>(code)), published[code]);
    if (code > 0) {
      EXPECT_EQ(levels.at(static_cast<int>(code) + 8), -published[code]);
    }
  }
  EXPECT_EQ(levels.size(), 15U);
}

TEST(Codebook, OfEightBitFloatsHasThePublishedLandmarks) {
  // Micikevicius et al. 2022, "FP8 formats for deep learning", table 1.
  const auto e4m3 = ByCode(NumberType::E4M3, 8), e5m2 = ByCode(NumberType::E5M2, 8);
  EXPECT_EQ(e4m3.at(0b0'1111'110), 448);
  EXPECT_EQ(e4m3.at(0b0'0001'000), std::exp2(-6));          // smallest normal number
  EXPECT_EQ(e4m3.at(0b0'0000'111), 0.875 * std::exp2(-6));  // largest subnormal number
  EXPECT_EQ(e4m3.at(0b1'0000'001), -std::exp2(-9));
  EXPECT_FALSE(e4m3.contains(0b0'1111'111));  // not a number
  EXPECT_EQ(e5m2.at(0b0'11110'11), 57344);
  EXPECT_EQ(e5m2.at(0b0'00001'00), std::exp2(-14));
  EXPECT_EQ(e5m2.at(0b0'00000'11), 0.75 * std::exp2(-14));
  EXPECT_EQ(e5m2.at(0b1'00000'01), -std::exp2(-16));
  EXPECT_FALSE(e5m2.contains(0b0'11111'00));  // infinity
  EXPECT_EQ(e4m3.size(), 253U);
  EXPECT_EQ(e5m2.size(), 247U);
}

TEST(Codebook, OfNf4AreTheNormalQuantilesOfItsConstructionToTheLastBit) {
  const std::vector<double> expected = NormalFloatLevels();
  const Codebook book = CodebookOf(NumberType::Nf4, 4);
  ASSERT_EQ(expected.size(), 16U);
  EXPECT_EQ(book.levels, expected);
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(book.codes[i], i);
}

TEST(Codebook, OfATypeThatHasNoneIsABug) {
  for (const NumberType type : {NumberType::Integer, NumberType::Float16, NumberType::BFloat16, NumberType::Float32,
                                static_cast<NumberType>(100)}) {
    EXPECT_THROW(CodebookOf(type, 4), std::logic_error) << ToString(type);
    EXPECT_THROW(LargestLevel(type), std::logic_error) << ToString(type);
  }
}

TEST(Codebook, OfPowersOfTwoHasZeroAndAsManyMagnitudesAsFit) {
  const auto levels = ByCode(NumberType::PowerOfTwo, 3);
  EXPECT_EQ(levels, (std::map<int, double>{{0, 0}, {1, 0.25}, {2, 0.5}, {3, 1}, {5, -0.25}, {6, -0.5}, {7, -1}}));
  EXPECT_EQ(ByCode(NumberType::PowerOfTwo, 2).size(), 3U);
  EXPECT_EQ(ByCode(NumberType::PowerOfTwo, 8).size(), 255U);
  EXPECT_EQ(ByCode(NumberType::PowerOfTwo, 8).at(1), std::exp2(-126));
}

TEST(Codebook, TiesGoToTheEvenCode) {
  const Codebook book = CodebookOf(NumberType::E2M1, 4);
  const auto nearest = [&](double x) {
    const auto boundaries = book.Boundaries<double>();
    return book.levels[static_cast<std::size_t>(std::lower_bound(boundaries.begin(), boundaries.end(), x) -
                                                boundaries.begin())];
  };
  for (const auto& [x, expected] :
       std::map<double, double>{{0.25, 0}, {0.75, 1}, {1.25, 1}, {1.75, 2}, {2.5, 2}, {3.5, 4}, {5, 4}}) {
    EXPECT_EQ(nearest(x), expected) << x;
    EXPECT_EQ(nearest(-x), -expected) << x;
    EXPECT_LE(nearest(std::nextafter(x, 0)), std::min(expected, x)) << x;
    EXPECT_GE(nearest(std::nextafter(x, 9)), std::max(expected, x)) << x;
  }
}

TEST(DoubleQuantize, IsWithinAnEighthOfEachDistanceFromTheMean) {
  std::vector<float> scales;
  for (int i = 0; i < 600; ++i) scales.push_back(0.01F + 0.001F * static_cast<float>(i * 37 % 101));
  const DoubleQuantizedScales coded = DoubleQuantize(scales);
  ASSERT_EQ(coded.scales.size(), 600U);
  ASSERT_EQ(coded.codes.size(), 600U);
  ASSERT_EQ(coded.block_scales.size(), 3U);
  const auto levels = ByCode(NumberType::E4M3, 8);
  for (std::size_t i = 0; i < scales.size(); ++i) {
    EXPECT_NEAR(coded.scales[i], coded.offset + coded.block_scales[i / 256] * levels.at(coded.codes[i]), 1e-8);
    // Three bits of a mantissa: half a step is 1/16 of a number at most.
    EXPECT_LE(std::abs(coded.scales[i] - scales[i]),
              std::abs(scales[i] - coded.offset) / 16 + coded.block_scales[i / 256] * std::exp2(-10))
        << i;
  }
}

TEST(DoubleQuantize, NeverGivesAScaleThatIsNotAboveZero) {
  std::vector<float> scales(256, 1e-6F);
  scales[7] = 100;
  for (const float scale : DoubleQuantize(scales).scales) EXPECT_GT(scale, 0);
  const DoubleQuantizedScales alike = DoubleQuantize(std::vector<float>(5, 0.25F));
  for (const float scale : alike.scales) EXPECT_EQ(scale, 0.25F);
}

}  // namespace
}  // namespace bitplan::calibration
