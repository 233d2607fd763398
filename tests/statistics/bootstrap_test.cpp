#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <random>
#include <stdexcept>

#include "bitplan/statistics.h"
#include "cost/error_message.h"
#include "statistics/draw_below.h"
#include "statistics/nan.h"
#include "statistics/reference.h"

namespace bitplan {
namespace {

using Values = std::vector<double>;

double WeightedMean(const Values& values, const SampleCounts& counts) {
  double sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i) sum += static_cast<double>(counts[i]) * values[i];
  return sum / static_cast<double>(values.size());
}

BootstrapOptions Options(std::int64_t resamples, std::uint64_t seed) {
  BootstrapOptions options;
  options.resamples = resamples;
  options.seed = seed;
  return options;
}

TEST(Bootstrap, DrawsWhatTheStandardsGeneratorGives) {
  for (const auto& each : Reference().at("bootstraps")) {
    const auto values = each.at("values").get<Values>();
    std::vector<SampleCounts> draws;
    const auto statistic = [&](const SampleCounts& counts) {
      draws.push_back(counts);
      return Values{WeightedMean(values, counts)};
    };
    const Bootstrapped result = Bootstrap(
        values.size(), statistic, Options(each.at("resamples").get<int>(), each.at("seed").get<std::uint64_t>()));
    EXPECT_EQ(draws[0], SampleCounts(values.size(), 1));
    EXPECT_EQ(draws[1], each.at("first_counts").get<SampleCounts>());
    const auto replicates = each.at("replicates").get<Values>();
    ASSERT_EQ(result.replicates.at(0).size(), replicates.size());
    for (std::size_t r = 0; r < replicates.size(); ++r) EXPECT_NEAR(result.replicates[0][r], replicates[r], 1e-13);
    EXPECT_NEAR(result.estimates.at(0).standard_error, each.at("standard_error").get<double>(), 1e-13);
    const Interval interval = PercentileInterval(result.replicates[0], 0.9);
    EXPECT_NEAR(interval.low, each.at("percentiles").at(0).get<double>(), 1e-13);
    EXPECT_NEAR(interval.high, each.at("percentiles").at(1).get<double>(), 1e-13);
  }
}

TEST(Bootstrap, OfTheMeanNearsItsStandardError) {
  Values values;
  for (int i = 0; i < 100; ++i) values.push_back(std::sin(i * i));
  const auto statistic = [&](const SampleCounts& counts) {
    EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}), 100);
    return Values{WeightedMean(values, counts)};
  };
  const Estimate estimate = Bootstrap(100, statistic, Options(4000, 1)).estimates.at(0);
  EXPECT_NEAR(estimate.value, Mean(values).value, 1e-14);
  // 4,000 draws leave 1.1%; n in place of n − 1 another 0.5%.
  EXPECT_NEAR(estimate.standard_error / Mean(values).standard_error, 1, 0.04);
}

TEST(Bootstrap, KeepsSeveralFiguresApart) {
  const auto statistic = [](const SampleCounts& counts) {
    return Values{static_cast<double>(counts[0]), 5, -static_cast<double>(counts[0])};
  };
  const Bootstrapped result = Bootstrap(10, statistic, Options(50, 2));
  ASSERT_EQ(result.estimates.size(), 3U);
  EXPECT_EQ(result.estimates[0].value, 1);
  EXPECT_EQ(result.estimates[1].value, 5);
  EXPECT_EQ(result.estimates[1].standard_error, 0);
  EXPECT_GT(result.estimates[0].standard_error, 0);
  EXPECT_DOUBLE_EQ(result.estimates[0].standard_error, result.estimates[2].standard_error);
  for (std::size_t r = 0; r < 50; ++r) EXPECT_EQ(result.replicates[0][r], -result.replicates[2][r]);
}

TEST(Bootstrap, DependsOnTheSeedAlone) {
  const auto statistic = [](const SampleCounts& counts) { return Values{static_cast<double>(counts[0])}; };
  EXPECT_EQ(Bootstrap(10, statistic, Options(50, 2)).replicates, Bootstrap(10, statistic, Options(50, 2)).replicates);
  EXPECT_NE(Bootstrap(10, statistic, Options(50, 2)).replicates, Bootstrap(10, statistic, Options(50, 3)).replicates);
}

TEST(Bootstrap, RefusesBadOptionsAndStatistics) {
  const auto fine = [](const SampleCounts&) { return Values{1}; };
  EXPECT_THAT([&] { Bootstrap(5, fine, Options(1, 0)); }, OneLineError("bootstrap resamples 1", "at least 2"));
  EXPECT_THAT([&] { Bootstrap(1, fine, {}); }, OneLineError("1 samples", "at least 2"));
  EXPECT_THAT([&] { Bootstrap(0, fine, {}); }, OneLineError("0 samples", "at least 2"));
  EXPECT_THAT([&] { Bootstrap(5, {}, {}); }, OneLineError("no statistic"));
  EXPECT_THAT([&] { Bootstrap(5, [](const SampleCounts&) { return Values{1, kNan}; }, {}); },
              OneLineError("without resampling", "value 1 is nan"));
  int calls = 0;
  EXPECT_THAT([&] { Bootstrap(5, [&](const SampleCounts&) { return Values{++calls == 4 ? kNan : 1}; }, {}); },
              OneLineError("of resample 2", "value 0 is nan"));
  calls = 0;
  EXPECT_THAT([&] { Bootstrap(5, [&](const SampleCounts&) { return Values(calls++ ? 2 : 1, 0.0); }, {}); },
              OneLineError("2 figures of resample 0", "expected 1"));
}

TEST(DrawBelow, FavorsNoNumber) {
  std::mt19937_64 random(4);
  std::vector<int> counts(7);
  for (int i = 0; i < 70000; ++i) ++counts[statistics::DrawBelow(7, random)];
  for (const int count : counts) EXPECT_NEAR(count, 10000, 500);  // five standard deviations
  // The lowest third of this bound would come twice as often were no value drawn again.
  const std::uint64_t bound = std::uint64_t{3} << 62;
  int low = 0;
  for (int i = 0; i < 10000; ++i) low += statistics::DrawBelow(bound, random) < (std::uint64_t{1} << 62);
  EXPECT_NEAR(low, 3333, 250);
}

TEST(Bootstrap, LetsTheStatisticStopIt) {
  const auto stop = [](const SampleCounts&) -> Values { throw std::logic_error("stop"); };
  EXPECT_THROW(Bootstrap(5, stop, {}), std::logic_error);
}

TEST(Resampled, RepeatsValuesInOrder) {
  EXPECT_EQ(Resampled({5, 6, 7}, {2, 0, 1}), (Values{5, 5, 7}));
  EXPECT_THAT([] { Resampled({5}, {1, 1}); }, OneLineError("1 values and 2 counts"));
  EXPECT_THAT([] { Resampled({5, 6}, {1, -1}); }, OneLineError("count 1 is -1"));
}

TEST(PercentileInterval, InterpolatesBetweenReplicates) {
  const Interval interval = PercentileInterval({3, 1, 2, 5, 4}, 0.8);
  EXPECT_DOUBLE_EQ(interval.low, 1.4);
  EXPECT_DOUBLE_EQ(interval.high, 4.6);
}

TEST(PercentileInterval, RefusesBadLevelsAndReplicates) {
  for (const double level : {0.0, 1.0, -0.5, 95.0, kNan})
    EXPECT_THAT([&] { PercentileInterval({1, 2}, level); }, OneLineError("level", "above 0 and below 1")) << level;
  EXPECT_THAT([] { PercentileInterval({1}); }, OneLineError("1 values"));
  EXPECT_THAT([] { PercentileInterval({1, kNan}); }, OneLineError("value 1 is nan"));
}

}  // namespace
}  // namespace bitplan
