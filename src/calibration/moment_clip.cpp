#include "moment_clip.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>

#include "tuning.h"

namespace bitplan::calibration {

namespace {

/// The mean of `of` over the values for which `counts_of` says so.
template <typename Of, typename Counts>
double Mean(const Distribution& distribution, const Of& of, const Counts& counts) {
  double sum = 0, total = 0;
  for (std::size_t i = 0; i < distribution.values.size(); ++i) {
    if (!counts(distribution.values[i])) continue;
    sum += distribution.counts[i] * of(distribution.values[i]);
    total += distribution.counts[i];
  }
  return total > 0 ? sum / total : 0;
}

Clip Around(double center, double radius, const Distribution& distribution) {
  return {std::min(std::max(center - radius, distribution.min), 0.0),
          std::max(std::min(center + radius, distribution.max), 0.0)};
}

/// Where a function that grows from below 0 to above it passes 0, in [low, high].
template <typename Function>
double Root(const Function& function, double low, double high) {
  for (int i = 0; i < tuning::kHalvings; ++i) {
    const double middle = (low + high) / 2;
    (function(middle) < 0 ? low : high) = middle;
  }
  return low;
}

/// Derivative of the rounding error α² / (3 · 4^bits).
double OfRounding(double alpha, int bits) { return 2 * alpha / (3 * std::ldexp(1.0, 2 * bits)); }

}  // namespace

double LaplaceClip(int bits) {
  // Clipping costs 2 exp(−α).
  return Root([&](double alpha) { return OfRounding(alpha, bits) - 2 * std::exp(-alpha); }, 0, tuning::kFarthestClip);
}

double GaussClip(int bits) {
  // Clipping costs (α² + 1)(1 − erf(α / √2)) − α √(2 / π) exp(−α² / 2), whose derivative is:
  const auto of_clipping = [](double alpha) {
    return 2 * alpha * std::erfc(alpha / std::numbers::sqrt2) -
           2 * std::sqrt(2 / std::numbers::pi) * std::exp(-alpha * alpha / 2);
  };
  return Root([&](double alpha) { return OfRounding(alpha, bits) + of_clipping(alpha); }, 0, tuning::kFarthestClip);
}

Clip DeviationsClip(const Distribution& distribution, const Format& format) {
  const auto all = [](double) { return true; };
  const double mean = Mean(distribution, [](double x) { return x; }, all);
  const double variance = Mean(distribution, [&](double x) { return (x - mean) * (x - mean); }, all);
  return Around(mean, format.deviations * std::sqrt(variance), distribution);
}

Clip AnalyticClip(const Distribution& distribution, const Format& format) {
  const bool half = distribution.min >= 0;
  const auto counts = [&](double x) { return !half || x > 0; };
  const double center = half ? 0 : Mean(distribution, [](double x) { return x; }, counts);
  const int bits = format.bits + (half && format.scheme != Scheme::Symmetric ? 1 : 0);
  if (format.calibrator == Calibrator::Laplace) {
    const double spread = Mean(distribution, [&](double x) { return std::abs(x - center); }, counts);
    return Around(center, LaplaceClip(bits) * spread, distribution);
  }
  const double variance = Mean(distribution, [&](double x) { return (x - center) * (x - center); }, counts);
  return Around(center, GaussClip(bits) * std::sqrt(variance), distribution);
}

}  // namespace bitplan::calibration
