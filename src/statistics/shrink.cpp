#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "bitplan/error.h"
#include "bitplan/statistics.h"
#include "check.h"

namespace bitplan {

namespace {

using statistics::CheckPairs;
using statistics::CheckResult;

/// An estimate's squared distance from its prior mean, and its squared standard error.
struct Deviation {
  double squared = 0, variance = 0;
};

/// Σ d²/(s² + τ²) and its negative derivative in τ². Terms without any distance count nothing, 0/0 among them.
struct GeneralizedQ {
  double value = 0, decline = 0;

  GeneralizedQ(const std::vector<Deviation>& deviations, double tau_squared) {
    for (const Deviation& each : deviations) {
      if (each.squared == 0) continue;
      const double term = each.squared / (each.variance + tau_squared);
      value += term;
      decline += term / (each.variance + tau_squared);
    }
  }
};

/// The root τ² of Q(τ²) = `expected`, or 0 where Q(0) is below that already.
double PauleMandel(const std::vector<Deviation>& deviations, double expected) {
  double tau_squared = 0;
  // Where one term alone meets the expectation: not above the root, and no term divides by 0.
  for (const Deviation& each : deviations) tau_squared = std::max(tau_squared, each.squared / expected - each.variance);
  // Newton's method on expected/Q − 1, which is concave and increasing: from below, steps never pass the root. Where
  // all standard errors are equal, it is a line, and one step finds the root.
  for (;;) {
    const GeneralizedQ q(deviations, tau_squared);
    if (q.value <= expected) return tau_squared;
    const double next = tau_squared + q.value / expected * (q.value - expected) / q.decline;
    if (!(next > tau_squared * (1 + 1e-15))) return tau_squared;
    tau_squared = next;
  }
}

Estimate Posterior(const Estimate& estimate, double prior_mean, double tau_squared) {
  const double variance = estimate.standard_error * estimate.standard_error;
  const double weight = variance == 0 ? 1 : tau_squared / (tau_squared + variance);
  return {std::lerp(prior_mean, estimate.value, weight), std::sqrt(weight) * estimate.standard_error};
}

}  // namespace

Shrinkage Shrink(const std::vector<Estimate>& estimates, const std::vector<double>& prior_means,
                 std::size_t fitted_parameters) {
  std::vector<double> values, errors;
  for (const Estimate& estimate : estimates) {
    values.push_back(estimate.value);
    errors.push_back(estimate.standard_error);
  }
  CheckPairs("shrinkage, estimates and prior means", values, prior_means);
  CheckPairs("shrinkage, estimates and standard errors", values, errors);
  for (std::size_t i = 0; i < errors.size(); ++i)
    if (errors[i] < 0) throw Error(fmt::format("shrinkage: standard error {} is {}; expected 0 or more", i, errors[i]));
  if (fitted_parameters >= estimates.size())
    throw Error(fmt::format("shrinkage: {} estimates and {} fitted parameters; expected more estimates than parameters",
                            estimates.size(), fitted_parameters));

  std::vector<Deviation> deviations;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double distance = values[i] - prior_means[i];
    deviations.push_back(
        {CheckResult("shrinkage", distance * distance), CheckResult("shrinkage", errors[i] * errors[i])});
  }
  Shrinkage result;
  result.prior_variance =
      CheckResult("shrinkage", PauleMandel(deviations, static_cast<double>(values.size() - fitted_parameters)));
  for (std::size_t i = 0; i < values.size(); ++i)
    result.posterior.push_back(Posterior(estimates[i], prior_means[i], result.prior_variance));
  return result;
}

}  // namespace bitplan
