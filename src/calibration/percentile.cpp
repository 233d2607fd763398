#include "percentile.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace bitplan::calibration {

namespace {

/// The k-th largest magnitude, where the k − 1 larger ones make up no more than `outside`.
double Magnitude(const Distribution& distribution, double outside) {
  const auto& values = distribution.values;
  std::size_t first = 0, last = values.size() - 1;
  double passed = 0;
  while (first < last) {
    const bool low_end = -values[first] > values[last];
    passed += distribution.counts[low_end ? first : last];
    if (passed > outside) break;
    low_end ? ++first : --last;
  }
  return std::max(std::abs(values[first]), std::abs(values[last]));
}

}  // namespace

Clip PercentileClip(const Distribution& distribution, const Format& format) {
  const double total = std::accumulate(distribution.counts.begin(), distribution.counts.end(), 0.0);
  constexpr double kRounding = 1e-9;  // so that 99.9 % of 1,000 leaves out one
  const double outside = total * ((100 - format.percentile) / 100 + kRounding);
  const auto& values = distribution.values;
  Clip clip{-Magnitude(distribution, outside), Magnitude(distribution, outside)};
  if (format.IsInteger() && format.scheme != Scheme::Symmetric) {
    std::size_t first = 0, last = values.size() - 1;
    for (double passed = distribution.counts[first]; passed <= outside / 2; passed += distribution.counts[first])
      ++first;
    for (double passed = distribution.counts[last]; passed <= outside / 2; passed += distribution.counts[last]) --last;
    clip = {values[first], values[last]};
  }
  // A bin's center is not the extreme itself, and no grid need reach further than the values.
  if (format.percentile == 100) clip = {distribution.min, distribution.max};
  return {std::min(std::max(clip.low, distribution.min), 0.0), std::max(std::min(clip.high, distribution.max), 0.0)};
}

}  // namespace bitplan::calibration
