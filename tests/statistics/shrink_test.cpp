#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "bitplan/statistics.h"
#include "cost/error_message.h"
#include "statistics/nan.h"
#include "statistics/reference.h"

namespace bitplan {
namespace {

using Values = std::vector<double>;

std::vector<Estimate> Estimates(const Values& values, const Values& errors) {
  std::vector<Estimate> estimates;
  for (std::size_t i = 0; i < values.size(); ++i) estimates.push_back({values[i], errors[i]});
  return estimates;
}

TEST(Shrink, EqualsSciPysRoot) {
  for (const auto& each : Reference().at("shrinkages")) {
    const auto posterior = each.at("posterior").get<Values>(), errors = each.at("posterior_errors").get<Values>();
    const auto variance = each.at("prior_variance").get<double>();
    const Shrinkage result = Shrink(Estimates(each.at("estimates").get<Values>(), each.at("errors").get<Values>()),
                                    each.at("prior_means").get<Values>(), each.at("fitted").get<std::size_t>());
    EXPECT_NEAR(result.prior_variance, variance, 1e-11 * variance);
    ASSERT_EQ(result.posterior.size(), posterior.size());
    for (std::size_t i = 0; i < posterior.size(); ++i) {
      EXPECT_NEAR(result.posterior[i].value, posterior[i], 1e-11);
      EXPECT_NEAR(result.posterior[i].standard_error, errors[i], 1e-11);
    }
  }
}

TEST(Shrink, WithEqualErrorsHasAClosedForm) {
  // Σd² = 4 + 36 = 40 = n (s² + τ²): τ² = 20 − 4.
  const Shrinkage result = Shrink({{3, 2}, {-4, 2}}, {1, 2});
  EXPECT_DOUBLE_EQ(result.prior_variance, 16);
  EXPECT_DOUBLE_EQ(result.posterior[0].value, 1 + 0.8 * 2);
  EXPECT_DOUBLE_EQ(result.posterior[1].value, 2 - 0.8 * 6);
  EXPECT_DOUBLE_EQ(result.posterior[0].standard_error, std::sqrt(0.8) * 2);
  EXPECT_DOUBLE_EQ(Shrink({{3, 2}, {-4, 2}}, {1, 2}, 1).prior_variance, 36);
}

TEST(Shrink, ToThePriorWhereNoiseExplainsTheDifferences) {
  const Shrinkage result = Shrink({{1.5, 2}, {2.5, 2}}, {1, 2});
  EXPECT_EQ(result.prior_variance, 0);
  EXPECT_EQ(result.posterior[0].value, 1);
  EXPECT_EQ(result.posterior[0].standard_error, 0);
  EXPECT_EQ(result.posterior[1].value, 2);
}

TEST(Shrink, LeavesExactEstimatesAlone) {
  const Shrinkage result = Shrink({{3, 0}, {5, 1}, {0, 100}}, {1, 1, 1});
  EXPECT_GT(result.prior_variance, 0);
  EXPECT_EQ(result.posterior[0].value, 3);
  EXPECT_EQ(result.posterior[0].standard_error, 0);
  EXPECT_GT(result.posterior[2].value, 0.9);
  const Shrinkage all_exact = Shrink({{3, 0}, {5, 0}}, {1, 1});
  EXPECT_DOUBLE_EQ(all_exact.prior_variance, 10);
  EXPECT_EQ(all_exact.posterior[1].value, 5);
  const Shrinkage on_the_prior = Shrink({{1, 0}, {1, 0}}, {1, 1});
  EXPECT_EQ(on_the_prior.prior_variance, 0);
  EXPECT_EQ(on_the_prior.posterior[0].value, 1);
}

TEST(Shrink, MeetsItsEquationAtEveryScale) {
  for (const double scale : {1e-140, 1e-20, 1.0, 1e20, 1e140})
    for (const double error : {1e-12, 1e-3, 1.0}) {
      const Values values = {1, 2, -3, 0.1}, errors = {error, 0.5, 1e-6, 0.9};
      std::vector<Estimate> estimates;
      for (std::size_t i = 0; i < 4; ++i) estimates.push_back({values[i] * scale, errors[i] * scale});
      const double variance = Shrink(estimates, Values(4, 0)).prior_variance / scale / scale;
      double sum = 0;
      for (std::size_t i = 0; i < 4; ++i) sum += values[i] * values[i] / (errors[i] * errors[i] + variance);
      EXPECT_NEAR(sum, 4, 1e-12) << scale << ' ' << error;
    }
}

TEST(Shrink, EndsWhereSquaresUnderflow) {
  const Shrinkage result = Shrink({{2e-162, 1e-162}, {0, 1e-200}}, {0, 0});
  EXPECT_GE(result.prior_variance, 0);
  EXPECT_LE(result.prior_variance, 1e-300);
  EXPECT_LE(result.posterior[0].value, 2e-162);
}

TEST(Shrink, RefusesBadInput) {
  EXPECT_THAT([] { Shrink({}, {}); }, OneLineError("shrinkage", "0 values"));
  EXPECT_THAT([] { Shrink({{1, 1}}, {1}); }, OneLineError("shrinkage", "1 values", "at least 2"));
  EXPECT_THAT([] { Shrink({{1, 1}, {2, 1}}, {1}); }, OneLineError("prior means", "2 and 1 values"));
  EXPECT_THAT([] { Shrink({{1, 1}, {kNan, 1}}, {1, 1}); }, OneLineError("value 1 is nan"));
  EXPECT_THAT([] { Shrink({{1, 1}, {1, kNan}}, {1, 1}); }, OneLineError("standard errors", "value 1 is nan"));
  EXPECT_THAT([] { Shrink({{1, 1}, {1, -1}}, {1, 1}); }, OneLineError("standard error 1 is -1"));
  EXPECT_THAT([] { Shrink({{1, 1}, {2, 1}}, {1, 1}, 2); }, OneLineError("2 estimates and 2 fitted parameters"));
  EXPECT_THAT([] { Shrink({{1e200, 1}, {2, 1}}, {1, 1}); }, OneLineError("too large"));
}

}  // namespace
}  // namespace bitplan
