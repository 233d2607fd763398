#include "quantize/calibration/range.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "quantize/calibration/range_error.h"

namespace bitplan {

namespace {

/// Values below `low` and above `high` are clipped.
struct Clip {
  double low = 0, high = 0;
};

double Float32Scale(double scale) {
  constexpr double kLeast = std::numeric_limits<float>::min();  // below lie subnormals
  return static_cast<double>(static_cast<float>(std::max(scale, kLeast)));
}

Clip Percentile(const Distribution& distribution, const Format& format) {
  const double total = std::accumulate(distribution.counts.begin(), distribution.counts.end(), 0.0);
  const double outside = total * (1 - format.percentile / 100);
  if (format.scheme == Scheme::Symmetric) {
    // |x| from the largest down, until `outside` values are passed.
    std::size_t first = 0, last = distribution.values.size() - 1;
    for (double passed = 0; first < last;) {
      const bool low_end = -distribution.values[first] > distribution.values[last];
      passed += distribution.counts[low_end ? first : last];
      if (passed > outside) break;
      low_end ? ++first : --last;
    }
    const double magnitude = std::max(std::abs(distribution.values[first]), std::abs(distribution.values[last]));
    return {-magnitude, magnitude};
  }
  const auto edge = [&](std::size_t at, std::ptrdiff_t step) {
    for (double passed = distribution.counts[at]; passed <= outside / 2; passed += distribution.counts[at])
      at = static_cast<std::size_t>(static_cast<std::ptrdiff_t>(at) + step);
    return distribution.values[at];
  };
  return {edge(0, 1), edge(distribution.values.size() - 1, -1)};
}

/// The clip with the least `error` among shrunken copies of the full range: a coarse scan, then narrowing steps around its
/// best. Symmetric grids shrink both ends together, asymmetric ones each on its own.
template <typename ErrorOf>
Clip Shrink(const Distribution& distribution, const Format& format, const ErrorOf& error_of) {
  const double low = std::min(distribution.min, 0.0), high = std::max(distribution.max, 0.0);
  const bool symmetric = format.scheme == Scheme::Symmetric;
  const auto clip = [&](double low_share, double high_share) { return Clip{low * low_share, high * high_share}; };
  double best_low = 1, best_high = 1, best = error_of(clip(1, 1));
  const auto consider = [&](double low_share, double high_share) {
    const double error = error_of(clip(low_share, high_share));
    if (error >= best) return;
    best = error;
    best_low = low_share;
    best_high = high_share;
  };
  constexpr int kSteps = 50;
  for (int step = 1; step < kSteps; ++step) consider(double(step) / kSteps, double(step) / kSteps);
  if (!symmetric)
    for (int round = 0; round < 2; ++round) {
      for (int step = 0; step <= kSteps; ++step) consider(double(step) / kSteps, best_high);
      for (int step = 0; step <= kSteps; ++step) consider(best_low, double(step) / kSteps);
    }
  for (double width = 0.5 / kSteps; width > 1e-3; width /= 2) {
    const double at_low = best_low, at_high = best_high;
    for (const double by : {-width, width}) {
      const double moved_low = std::clamp(at_low + by, 0.0, 1.0), moved_high = std::clamp(at_high + by, 0.0, 1.0);
      consider(moved_low, moved_high);
      if (symmetric) continue;
      consider(moved_low, at_high);
      consider(at_low, moved_high);
    }
  }
  return clip(best_low, best_high);
}

}  // namespace

QuantizationRange RangeCovering(double low, double high, const Format& format) {
  low = std::min(low, 0.0);
  high = std::max(high, 0.0);
  const auto qmin = static_cast<double>(format.QuantMin()), qmax = static_cast<double>(format.QuantMax());
  if (low == 0 && high == 0) return {1, 0};
  if (format.scheme == Scheme::Symmetric) return {Float32Scale(std::max(high / qmax, low / qmin)), 0};
  // The zero point is an integer, so one end moves outward a little: the scale grows until both ends are covered.
  double scale = (high - low) / qmax;
  const double zero_point = std::clamp(std::nearbyint(-low / scale), 0.0, qmax);
  if (zero_point > 0) scale = std::max(scale, -low / zero_point);
  if (zero_point < qmax) scale = std::max(scale, high / (qmax - zero_point));
  return {Float32Scale(scale), static_cast<std::int64_t>(zero_point)};
}

QuantizationRange Calibrate(const Distribution& distribution, const Format& format) {
  const auto range_of = [&](const Clip& clip) { return RangeCovering(clip.low, clip.high, format); };
  switch (format.calibrator) {
    case Calibrator::Max:
      return RangeCovering(distribution.min, distribution.max, format);
    case Calibrator::Percentile:
      return range_of(Percentile(distribution, format));
    case Calibrator::Mse: {
      const SquaredError error(distribution);
      return range_of(Shrink(distribution, format, [&](const Clip& clip) { return error(range_of(clip), format); }));
    }
    case Calibrator::Entropy: {
      const Divergence divergence(distribution);
      return range_of(Shrink(distribution, format, [&](const Clip& clip) { return divergence(range_of(clip), format); }));
    }
  }
  return RangeCovering(distribution.min, distribution.max, format);
}

}  // namespace bitplan
