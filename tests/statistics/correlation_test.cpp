#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "bitplan/statistics.h"
#include "cost/error_message.h"
#include "statistics/nan.h"
#include "statistics/reference.h"

namespace bitplan {
namespace {

using Values = std::vector<double>;
using Correlation = double (*)(const Values&, const Values&);

constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(Correlation, EqualsSciPy) {
  for (const auto& each : Reference().at("correlations")) {
    const auto x = each.at("x").get<Values>(), y = each.at("y").get<Values>();
    EXPECT_NEAR(Spearman(x, y), each.at("spearman").get<double>(), 1e-13) << each.at("name");
    EXPECT_NEAR(KendallTau(x, y), each.at("kendall").get<double>(), 1e-13) << each.at("name");
  }
}

/// Kendall's tau-b from its definition, pair by pair.
double BruteForceKendall(const Values& x, const Values& y) {
  const auto sign = [](double a, double b) { return (a > b) - (a < b); };
  double numerator = 0, untied_x = 0, untied_y = 0;
  for (std::size_t i = 0; i < x.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) {
      const int in_x = sign(x[i], x[j]), in_y = sign(y[i], y[j]);
      numerator += in_x * in_y;
      untied_x += in_x * in_x;
      untied_y += in_y * in_y;
    }
  return untied_x * untied_y == 0 ? 0 : numerator / std::sqrt(untied_x * untied_y);
}

TEST(KendallTau, EqualsThePairwiseDefinition) {
  std::mt19937_64 random(3);
  for (std::size_t size = 2; size < 40; ++size)
    for (const std::uint64_t different : {1, 2, 3, 10, 1000000}) {
      Values x, y;
      for (std::size_t i = 0; i < size; ++i) {
        x.push_back(static_cast<double>(random() % different));
        y.push_back(static_cast<double>(random() % (different + 1)) - x.back() / 2);
      }
      EXPECT_NEAR(KendallTau(x, y), BruteForceKendall(x, y), 1e-14) << size << " of " << different;
    }
}

TEST(KendallTau, OfAMillionValuesTakesNoTimeAndDoesNotOverflow) {
  Values x, y;
  for (int i = 0; i < 1000000; ++i) {
    x.push_back(i);
    y.push_back(-i);
  }
  EXPECT_DOUBLE_EQ(KendallTau(x, x), 1);
  EXPECT_DOUBLE_EQ(KendallTau(x, y), -1);
}

class AnyCorrelation : public ::testing::TestWithParam<Correlation> {};
INSTANTIATE_TEST_SUITE_P(, AnyCorrelation, ::testing::Values(&Spearman, &KendallTau),
                         [](const auto& each) { return each.param == &Spearman ? "Spearman" : "KendallTau"; });

TEST_P(AnyCorrelation, IsOneForTheSameOrderAndMinusOneForTheOpposite) {
  const Values x = {1e-300, 3, 3, -7, 1e300};
  Values opposite;
  for (const double value : x) opposite.push_back(-value);
  EXPECT_DOUBLE_EQ(GetParam()(x, x), 1);
  EXPECT_DOUBLE_EQ(GetParam()(x, opposite), -1);
}

TEST_P(AnyCorrelation, IsSymmetric) {
  const Values x = {1, 5, 2, 2, 9, -1}, y = {0, 3, 3, 1, 8, 8};
  EXPECT_DOUBLE_EQ(GetParam()(x, y), GetParam()(y, x));
}

TEST_P(AnyCorrelation, DependsOnNothingButTheOrder) {
  const Values x = {1, 5, 2, 2, 9, -1}, y = {0, 3, 3, 1, 8, 8};
  Values changed;
  for (const double value : x) changed.push_back(std::exp(3 * value));
  EXPECT_EQ(GetParam()(changed, y), GetParam()(x, y));
}

TEST_P(AnyCorrelation, WithAConstantIsZero) {
  EXPECT_EQ(GetParam()({1, 1, 1}, {1, 2, 3}), 0);
  EXPECT_EQ(GetParam()({1, 2, 3}, {1, 1, 1}), 0);
  EXPECT_EQ(GetParam()({4, 4, 4}, {4, 4, 4}), 0);
  EXPECT_EQ(GetParam()({0.0, -0.0}, {1, 2}), 0);
}

TEST_P(AnyCorrelation, RefusesWhatHasNone) {
  const Correlation correlation = GetParam();
  EXPECT_THAT([&] { correlation({}, {}); }, OneLineError("correlation", "0 values", "at least 2"));
  EXPECT_THAT([&] { correlation({1}, {1}); }, OneLineError("correlation", "1 values", "at least 2"));
  EXPECT_THAT([&] { correlation({1, 2}, {1, 2, 3}); }, OneLineError("correlation", "2 and 3 values"));
  EXPECT_THAT([&] { correlation({1, kNan}, {1, 2}); }, OneLineError("value 1 is nan"));
  EXPECT_THAT([&] { correlation({1, 2}, {-kInfinity, 2}); }, OneLineError("value 0 is -inf"));
}

}  // namespace
}  // namespace bitplan
