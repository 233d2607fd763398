#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "bitplan/statistics.h"
#include "cost/error_message.h"
#include "statistics/nan.h"
#include "statistics/reference.h"

namespace bitplan {
namespace {

using Values = std::vector<double>;

constexpr double kLargest = std::numeric_limits<double>::max();

/// Within 1e-12 of the values' own rounding.
double Tolerance(double value) { return 1e-12 * (1 + std::abs(value)); }

TEST(Mean, AndItsErrorEqualSciPy) {
  for (const auto& each : Reference().at("means")) {
    const auto values = each.at("values").get<Values>();
    const auto mean = each.at("mean").get<double>(), error = each.at("standard_error").get<double>();
    EXPECT_NEAR(Mean(values).value, mean, Tolerance(mean));
    EXPECT_NEAR(Mean(values).standard_error, error, Tolerance(error));
  }
}

TEST(Mean, OfAConstantHasNoError) {
  EXPECT_EQ(Mean({3, 3, 3}).value, 3);
  EXPECT_EQ(Mean({3, 3, 3}).standard_error, 0);
}

TEST(Mean, RefusesWhatHasNone) {
  EXPECT_THAT([] { Mean({}); }, OneLineError("mean", "0 values", "at least 2"));
  EXPECT_THAT([] { Mean({1}); }, OneLineError("mean", "1 values", "at least 2"));
  EXPECT_THAT([] { Mean({1, kNan}); }, OneLineError("mean", "value 1 is nan"));
  EXPECT_THAT([] { Mean({kLargest, -kLargest}); }, OneLineError("mean", "too large"));
}

TEST(PairedDifference, EqualsSciPy) {
  for (const auto& each : Reference().at("means")) {
    const Estimate difference = PairedDifference(each.at("values").get<Values>(), each.at("other").get<Values>());
    EXPECT_NEAR(difference.value, each.at("difference").get<double>(), 1e-10);
    EXPECT_NEAR(difference.standard_error, each.at("difference_error").get<double>(), 1e-10);
  }
}

TEST(PairedDifference, IsMoreCertainThanWhatIsPaired) {
  const Values a = {1, 20, 300, 4000}, b = {0, 19, 298, 3999};
  EXPECT_DOUBLE_EQ(PairedDifference(a, b).value, 1.25);
  EXPECT_DOUBLE_EQ(PairedDifference(a, b).standard_error, 0.25);
  EXPECT_GT(Mean(a).standard_error, 900);
}

TEST(PairedDifference, RefusesWhatIsNotPaired) {
  EXPECT_THAT([] { PairedDifference({1, 2}, {1}); }, OneLineError("paired difference", "2 and 1 values"));
  EXPECT_THAT([] { PairedDifference({}, {}); }, OneLineError("paired difference", "0 values"));
  EXPECT_THAT([] { PairedDifference({1, 2}, {kNan, 1}); }, OneLineError("paired difference", "value 0 is nan"));
  EXPECT_THAT([] { PairedDifference({kLargest, 0}, {-kLargest, 0}); }, OneLineError("too large"));
}

TEST(GeometricMean, EqualsSciPy) {
  for (const auto& each : Reference().at("means")) {
    const auto expected = each.at("geometric_mean").get<double>();
    EXPECT_NEAR(GeometricMean(each.at("values").get<Values>()), expected, 1e-12 * expected);
  }
}

TEST(GeometricMean, ReachesTheEndsOfDouble) {
  EXPECT_DOUBLE_EQ(GeometricMean({1e-300, 1e300}), 1);
  EXPECT_EQ(GeometricMean({kLargest, kLargest, kLargest}), kLargest);
  EXPECT_EQ(GeometricMean({0.3}), 0.3);
}

TEST(GeometricMean, RefusesWhatHasNone) {
  EXPECT_THAT([] { GeometricMean({}); }, OneLineError("geometric mean", "0 values", "at least 1"));
  EXPECT_THAT([] { GeometricMean({1, 0}); }, OneLineError("geometric mean", "value 1 is 0", "above 0"));
  EXPECT_THAT([] { GeometricMean({-1, 1}); }, OneLineError("geometric mean", "value 0 is -1"));
  EXPECT_THAT([] { GeometricMean({kNan}); }, OneLineError("geometric mean", "value 0 is nan"));
}

}  // namespace
}  // namespace bitplan
