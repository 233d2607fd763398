#include "calibration/range.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "calibration/naive_error.h"
#include "calibration/sample_values.h"

namespace bitplan::calibration {
namespace {

std::vector<Format> AllFormats(Calibrator calibrator) {
  std::vector<Format> formats;
  for (const int bits : {2, 3, 4, 5, 6, 7, 8})
    for (const auto& [scheme, narrow] : {std::pair(Scheme::Symmetric, false), std::pair(Scheme::Symmetric, true),
                                         std::pair(Scheme::Asymmetric, false)}) {
      Format format;
      format.bits = bits;
      format.scheme = scheme;
      format.narrow_range = narrow;
      format.calibrator = calibrator;
      formats.push_back(format);
    }
  return formats;
}

std::string Describe(const Format& format) {
  return fmt::format("{} bits {}{} {}", format.bits, ToString(format.scheme), format.narrow_range ? " narrow" : "",
                     ToString(format.calibrator));
}

/// Samples a calibrator may meet, the odd ones included.
std::vector<std::vector<float>> Samples() {
  constexpr float kLargest = std::numeric_limits<float>::max(), kSmallest = std::numeric_limits<float>::denorm_min();
  return {NormalValues(300, 1),
          NormalValues(300, 2, 5.0F),
          NormalValues(300, 3, -5.0F),
          SampleValues(700, 0.3, true),
          {0, 0, 0, 0},
          {0.7F, 0.7F, 0.7F},
          {-0.7F},
          {1e-3F, 1e4F},
          {-1e4F, 1, 1, 1},
          {kLargest, -kLargest},
          {kSmallest, -kSmallest, 0},
          {kSmallest},
          {1e-42F, 1e38F}};
}

TEST(Range, OfAutoSignedFormatsIsTheUnsignedOneOrTheSymmetricOne) {
  for (const Calibrator calibrator :
       {Calibrator::Max, Calibrator::Percentile, Calibrator::Mse, Calibrator::Entropy, Calibrator::Laplace,
        Calibrator::Gauss, Calibrator::Deviations, Calibrator::AverageMax})
    for (const ScaleType scales : {ScaleType::Float32, ScaleType::PowerOfTwo})
      for (const int bits : {2, 4, 8})
        for (const bool negative : {false, true}) {
          Format format = DefaultActivationFormat().WithBits(bits);
          format.calibrator = calibrator;
          format.scale_type = scales;
          format.scheme = Scheme::AutoSigned;
          std::vector<float> values = SampleValues(700, 0.3, true);
          if (!negative)
            for (float& value : values) value = std::max(value, 0.0F);
          const QuantizationRange range = Calibrate(DistributionOf(values), format);
          format.scheme = negative ? Scheme::Symmetric : Scheme::Unsigned;
          const QuantizationRange expected = Calibrate(DistributionOf(values), format);
          EXPECT_EQ(range.scale, expected.scale) << Describe(format);
          EXPECT_EQ(range.zero_point, negative ? 1 << (bits - 1) : 0) << Describe(format);
        }
}

TEST(Range, IsAlwaysAPositiveFloat32WithZeroOnItsGrid) {
  for (const Calibrator calibrator : {Calibrator::Max, Calibrator::Percentile, Calibrator::Mse, Calibrator::Entropy})
    for (const Format& format : AllFormats(calibrator))
      for (const std::vector<float>& values : Samples()) {
        const QuantizationRange range = Calibrate(DistributionOf(values), format);
        EXPECT_EQ(static_cast<double>(static_cast<float>(range.scale)), range.scale) << Describe(format);
        EXPECT_GE(range.scale, std::numeric_limits<float>::min()) << Describe(format);
        EXPECT_LE(range.scale, std::numeric_limits<float>::max()) << Describe(format);
        EXPECT_GE(range.zero_point, format.QuantMin()) << Describe(format);
        EXPECT_LE(range.zero_point, format.QuantMax()) << Describe(format);
        EXPECT_TRUE(format.scheme == Scheme::Asymmetric || range.zero_point == 0) << Describe(format);
        EXPECT_EQ(Quantized(0, range, format), 0) << Describe(format);
      }
}

TEST(Range, OfMaxClipsNothingAndIsTheFinestSuch) {
  for (const Format& format : AllFormats(Calibrator::Max))
    for (const std::vector<float>& values :
         {NormalValues(300, 1), NormalValues(300, 2, 1.0F), NormalValues(300, 3, -5.0F)}) {
      const Distribution distribution = DistributionOf(values);
      const QuantizationRange range = Calibrate(distribution, format);
      const auto covers = [&](double scale, std::int64_t zero_point) {
        return scale * static_cast<double>(format.QuantMin() - zero_point) <= std::min(distribution.min, 0.0) &&
               scale * static_cast<double>(format.QuantMax() - zero_point) >= std::max(distribution.max, 0.0);
      };
      EXPECT_TRUE(covers(range.scale * (1 + 1e-6), range.zero_point)) << Describe(format);
      const bool asymmetric = format.scheme == Scheme::Asymmetric;
      for (std::int64_t zero_point = 0; zero_point <= (asymmetric ? format.QuantMax() : 0); ++zero_point)
        EXPECT_FALSE(covers(range.scale * (1 - 1e-6), zero_point)) << Describe(format) << zero_point;
    }
}

TEST(Range, OfSymmetricMaxUsesTheExtraNegativeLevel) {
  Format format = Format{}.WithBits(2);
  format.calibrator = Calibrator::Max;
  EXPECT_EQ(Calibrate(DistributionOf(std::vector<float>{-2, 1}), format).scale, 1);
  EXPECT_EQ(Calibrate(DistributionOf(std::vector<float>{-1, 2}), format).scale, 2);
  format.narrow_range = true;
  EXPECT_EQ(Calibrate(DistributionOf(std::vector<float>{-2, 1}), format).scale, 2);
}

TEST(Range, OfAsymmetricMaxOnKnownValues) {
  Format format = DefaultActivationFormat().WithBits(8);
  format.calibrator = Calibrator::Max;
  const auto range = [&](std::vector<float> values) { return Calibrate(DistributionOf(values), format); };
  EXPECT_EQ(range({0, 255}).scale, 1);
  EXPECT_EQ(range({0, 255}).zero_point, 0);
  EXPECT_EQ(range({100, 255}).zero_point, 0);  // 0 belongs to every range
  EXPECT_EQ(range({-255, -3}).zero_point, 255);
  EXPECT_EQ(range({-255, -3}).scale, 1);
  EXPECT_EQ(range({-85, 170}).zero_point, 85);
  EXPECT_EQ(range({-85, 170}).scale, 1);
}

TEST(Range, OfMseIsNeverWorseThanMax) {
  for (const Format& format : AllFormats(Calibrator::Mse))
    for (const std::vector<float>& values : Samples()) {
      Format max = format;
      max.calibrator = Calibrator::Max;
      const Distribution distribution = DistributionOf(values);
      const double most = NaiveError(values, Calibrate(distribution, max), max);
      EXPECT_LE(NaiveError(values, Calibrate(distribution, format), format), most * (1 + 1e-6) + 1e-80)
          << Describe(format);
    }
}

TEST(Range, OfMseIsAtMostAPerCentFromTheBestOfAnyScaleAndZeroPoint) {
  for (const unsigned seed : {1U, 2U, 3U})
    for (const std::size_t count : {9, 27, 144, 1152})
      for (const Format& format : AllFormats(Calibrator::Mse)) {
        const bool asymmetric = format.scheme == Scheme::Asymmetric;
        if (asymmetric && (format.bits > 4 || count > 144)) continue;  // the numpy reference has those
        const std::vector<float> values = NormalValues(count, seed, 0.4F);
        const double widest = RangeCovering(DistributionOf(values).min, DistributionOf(values).max, format).scale;
        const int steps = count > 144 ? 250 : 1000;
        double best = std::numeric_limits<double>::infinity();
        for (std::int64_t zero_point = 0; zero_point <= (asymmetric ? format.QuantMax() : 0); ++zero_point)
          for (int i = steps / 50; i <= steps; ++i)
            best = std::min(best, NaiveError(values, {widest * i / steps, zero_point}, format));
        EXPECT_LE(NaiveError(values, Calibrate(DistributionOf(values), format), format), best * 1.01)
            << Describe(format) << " of " << count << " values, seed " << seed;
      }
}

TEST(Range, OfMseClipsAnOutlierOnlyWhereThatPays) {
  std::vector<float> values = NormalValues(1000, 1);
  values.push_back(20);
  Format format = Format{}.WithBits(3);
  EXPECT_LT(Calibrate(DistributionOf(values), format).scale * 3, 10);
  values.back() = 1e6F;
  EXPECT_NEAR(Calibrate(DistributionOf(values), format).scale * 3, 1e6, 1e4);
}

TEST(Range, OfAPercentileThatLeavesOnlyZerosIsTheWholeRange) {
  std::vector<float> values(10000, 0.0F);
  values[0] = 0.5F;
  for (Format format : {DefaultWeightFormat().WithBits(8), DefaultActivationFormat().WithBits(8)}) {
    format.calibrator = Calibrator::Percentile;
    format.percentile = 99;
    EXPECT_FLOAT_EQ(static_cast<float>(Calibrate(DistributionOf(values), format).scale),
                    0.5F / static_cast<float>(format.QuantMax()));
  }
}

TEST(Range, DoesNotDependOnTheOrderOfTheValues) {
  std::vector<float> values = NormalValues(1000, 9);
  for (const Calibrator calibrator : {Calibrator::Percentile, Calibrator::Mse, Calibrator::Entropy})
    for (const Format& format : AllFormats(calibrator)) {
      const QuantizationRange range = Calibrate(DistributionOf(values), format);
      std::reverse(values.begin(), values.end());
      EXPECT_EQ(Calibrate(DistributionOf(values), format).scale, range.scale);
      EXPECT_EQ(Calibrate(DistributionOf(values), format).zero_point, range.zero_point);
    }
}

}  // namespace
}  // namespace bitplan::calibration
