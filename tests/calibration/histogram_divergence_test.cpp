#include "histogram_divergence.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "calibration/histogram.h"
#include "calibration/sample_values.h"

namespace bitplan::calibration {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

const Format k2Bits = Format{}.WithBits(2);  // levels −2, −1, 0, 1

TEST(HistogramDivergence, OfAHandComputedHistogram) {
  // Bins at −0.75 … 1.75, scale 0.5: levels −2: none, −1 (−0.75 < x < −0.25): two bins, 0: one, 1 (x < 0.75): two; 1.75
  // clipped.
  const Distribution bins{{-0.7, -0.3, -0.1, 0.3, 0.6, 1.75}, {1, 3, 4, 2, 2, 4}, -0.7, 1.75, true};
  const double inside = 12.0 / 16;
  const auto term = [&](double before, double after) {
    return before / 16 * std::log(before / 16 / (after / 16 / inside));
  };
  const double expected = term(1, 2) + term(3, 2) + term(4, 4) + term(2, 2) + term(6, 2);
  EXPECT_NEAR(HistogramDivergence(bins)({0.5, 0}, k2Bits, kInfinity), expected, 1e-12);
}

TEST(HistogramDivergence, OfARangeThatHoldsNextToNothingIsInfinite) {
  const Distribution bins{{-0.7, -0.3, 0.01, 0.3, 0.6, 1.75}, {1, 3, 4, 2, 2, 4}, -0.7, 1.75, true};
  EXPECT_EQ(HistogramDivergence(bins)({0.05, 0}, k2Bits, kInfinity), kInfinity);
}

TEST(HistogramDivergence, LeavesOutZeros) {
  const Distribution without{{-0.7, -0.3, -0.1, 0.3, 0.6}, {1, 3, 4, 2, 2}, -0.7, 0.6, true};
  const Distribution with{{-0.7, -0.3, -0.1, 0, 0.3, 0.6}, {1, 3, 4, 1000, 2, 2}, -0.7, 0.6, true};
  EXPECT_EQ(HistogramDivergence(without)({0.5, 0}, k2Bits, kInfinity),
            HistogramDivergence(with)({0.5, 0}, k2Bits, kInfinity));
}

TEST(Entropy, DoesNotClipMoreForAReluThatIsMoreOftenZero) {
  Format format = DefaultActivationFormat().WithBits(8);
  format.calibrator = Calibrator::Entropy;
  std::vector<float> values = NormalValues(100000, 3);
  for (float& value : values) value = std::abs(value);
  Histogram dense, sparse;
  dense.Add(values);
  sparse.Add(values);
  sparse.Add(std::vector<float>(900000, 0.0F));
  const QuantizationRange range = Calibrate(dense.Values(), format);
  EXPECT_EQ(range.scale, Calibrate(sparse.Values(), format).scale);
  EXPECT_GT(range.scale * 255, 3.0);  // three standard deviations stay inside
}

TEST(Entropy, KeepsTheWholeRangeOfAFewWeights) {
  Format format = Format{}.WithBits(8);
  format.calibrator = Calibrator::Entropy;
  const std::vector<float> few = {-0.9F, -0.3F, 0.01F, 0.02F, 0.3F, 0.5F, 1.0F};
  EXPECT_FLOAT_EQ(static_cast<float>(Calibrate(DistributionOf(few), format).scale), 1.0F / 127);
}

}  // namespace
}  // namespace bitplan::calibration
