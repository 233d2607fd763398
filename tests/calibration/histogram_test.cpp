#include "calibration/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "bitplan/error.h"
#include "calibration/naive_error.h"
#include "calibration/range.h"
#include "calibration/sample_values.h"

namespace bitplan::calibration {
namespace {

double Total(const Distribution& distribution) {
  return std::accumulate(distribution.counts.begin(), distribution.counts.end(), 0.0);
}

/// Every value lies within half a bin of a bin center, where the bins of the range are `kBins` wide in all.
void ExpectCloseTo(const Distribution& distribution, std::vector<float> values) {
  std::sort(values.begin(), values.end());
  const double magnitude = std::max(std::abs(values.front()), std::abs(values.back()));
  const double width = 4 * magnitude / static_cast<double>(Histogram::kBins);
  std::size_t next = 0;
  for (std::size_t bin = 0; bin < distribution.values.size(); ++bin)
    for (double n = 0; n < distribution.counts[bin]; ++n) {
      ASSERT_LT(next, values.size());
      EXPECT_NEAR(distribution.values[bin], values[next++], width / 2 * (1 + 1e-6));
    }
  EXPECT_EQ(next, values.size());
}

TEST(Histogram, CountsEveryValueOfAStreamWhoseRangeGrows) {
  Histogram histogram;
  std::vector<float> all;
  for (const float scale : {0.001F, 1.0F, 0.2F, 77.0F}) {
    const std::vector<float> batch = NormalValues(1003, 7, 0.1F * scale, scale);
    histogram.Add(batch);
    all.insert(all.end(), batch.begin(), batch.end());
  }
  const Distribution distribution = histogram.Values();
  EXPECT_EQ(histogram.count(), 4012);
  EXPECT_EQ(Total(distribution), 4012);
  EXPECT_EQ(distribution.min, *std::min_element(all.begin(), all.end()));
  EXPECT_EQ(distribution.max, *std::max_element(all.begin(), all.end()));
  EXPECT_TRUE(std::is_sorted(distribution.values.begin(), distribution.values.end()));
  ExpectCloseTo(distribution, all);
}

TEST(Histogram, KeepsExtremesOfEachSignAndSizeExactly) {
  for (const float extreme : {1.0F, 2.0F, std::nextafter(2.0F, 0.0F), -3.0F, std::numeric_limits<float>::denorm_min(),
                              std::numeric_limits<float>::max(), -std::numeric_limits<float>::max()}) {
    Histogram histogram;
    histogram.Add(std::vector<float>{extreme / 3, extreme});
    EXPECT_EQ(histogram.Values().min, std::min(extreme, extreme / 3));
    EXPECT_EQ(histogram.Values().max, std::max(extreme, extreme / 3));
    EXPECT_EQ(Total(histogram.Values()), 2);
  }
}

TEST(Histogram, GrowsFromTheSmallestToTheLargestMagnitude) {
  Histogram histogram;
  histogram.Add(std::vector<float>{std::numeric_limits<float>::denorm_min()});
  histogram.Add(std::vector<float>{-std::numeric_limits<float>::max()});
  EXPECT_EQ(Total(histogram.Values()), 2);
  EXPECT_EQ(histogram.Values().min, -std::numeric_limits<float>::max());
}

TEST(Histogram, KeepsZerosExactly) {
  Histogram histogram;
  histogram.Add(std::vector<float>(100, 0.0F));
  EXPECT_EQ(histogram.Values().values, std::vector<double>{0});
  EXPECT_EQ(histogram.Values().counts, std::vector<double>{100});
  histogram.Add(std::vector<float>{5.0F, -0.0F, 1e-9F});
  const Distribution distribution = histogram.Values();
  EXPECT_EQ(distribution.values.front(), 0);
  EXPECT_EQ(distribution.counts.front(), 101);
  EXPECT_EQ(Total(distribution), 103);
}

TEST(Histogram, RefusesWhatIsNotFiniteAndStaysAsItWas) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                          -std::numeric_limits<float>::infinity()})
    for (const std::size_t at : {0, 7, 8, 16, 18}) {
      Histogram histogram;
      histogram.Add(std::vector<float>{1, 2});
      std::vector<float> values(19, 0.5F);
      values[at] = bad;
      EXPECT_THROW(histogram.Add(values), Error) << bad << " at " << at;
      EXPECT_EQ(histogram.count(), 2);
      EXPECT_EQ(histogram.Values().max, 2);
    }
}

TEST(Histogram, WithoutValuesHasNoDistribution) {
  Histogram histogram;
  histogram.Add({});
  EXPECT_EQ(histogram.count(), 0);
  EXPECT_THROW(histogram.Values(), Error);
}

TEST(Histogram, MergedIsTheSameAsAddedToOne) {
  const std::vector<float> small = NormalValues(5000, 1, 0.0F, 0.3F), large = NormalValues(5000, 2, 1.0F, 40.0F);
  Histogram one, first, second;
  one.Add(small);
  one.Add(large);
  first.Add(small);
  second.Add(large);
  Histogram backwards = second;
  first.Merge(second);
  backwards.Merge(Histogram());
  Histogram empty;
  empty.Merge(first);
  for (const Histogram& merged : {first, empty}) {
    EXPECT_EQ(merged.count(), 10000);
    EXPECT_EQ(merged.Values().values, one.Values().values);
    EXPECT_EQ(merged.Values().counts, one.Values().counts);
    EXPECT_EQ(merged.Values().min, one.Values().min);
    EXPECT_EQ(merged.Values().max, one.Values().max);
  }
  EXPECT_EQ(backwards.Values().counts, second.Values().counts);
}

TEST(Histogram, ABatchInPartsIsTheBatch) {
  const std::vector<float> before = NormalValues(500, 3, 0.5F, 2.0F), batch = NormalValues(3000, 1, 1.0F, 40.0F);
  Histogram whole, parts;
  for (Histogram* each : {&whole, &parts}) each->Add(before);
  whole.Add(batch);
  for (std::size_t begin = 0; begin < batch.size(); begin += 1000)
    parts.Add(std::span(batch).subspan(begin, 1000), begin == 0);
  for (Histogram* each : {&whole, &parts}) each->Add(before);
  const HistogramState a = whole.State(), b = parts.State();
  EXPECT_EQ(a.counts, b.counts);
  EXPECT_EQ(a.batches, b.batches);
  EXPECT_EQ(a.sum.min, b.sum.min);
  EXPECT_EQ(a.sum.max, b.sum.max);
  EXPECT_EQ(a.moving.min, b.moving.min);
  EXPECT_EQ(a.moving.max, b.moving.max);
}

TEST(Histogram, CalibratesLikeTheValuesThemselves) {
  std::vector<float> values = NormalValues(50000, 5);
  for (float& value : values) value = std::max(value, 0.0F);
  Histogram histogram;
  histogram.Add(values);
  for (const int bits : {2, 4, 8})
    for (const Format& base : {DefaultWeightFormat(), DefaultActivationFormat()}) {
      const Format format = base.WithBits(bits);
      const double streamed = NaiveError(values, Calibrate(histogram.Values(), format), format);
      EXPECT_LE(streamed, 1.01 * NaiveError(values, Calibrate(DistributionOf(values), format), format)) << bits;
    }
}

}  // namespace
}  // namespace bitplan::calibration
