#include "quantize/calibration/range.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "quantize/calibration/divergence.h"
#include "quantize/calibration/percentile.h"
#include "quantize/calibration/range_search.h"
#include "quantize/calibration/squared_error.h"

namespace bitplan {

namespace {

/// Rounding with the best scale and finding the best scale for that rounding, in turns: each lowers the error (Lloyd
/// 1982).
QuantizationRange Refine(QuantizationRange range, const SquaredError& error, const Format& format) {
  constexpr int kMostTurns = 16;
  double least = error(range, format);
  for (int turn = 0; turn < kMostTurns; ++turn) {
    const QuantizationRange next{Float32Scale(error.BestScale(range, format)), range.zero_point};
    const double found = error(next, format);
    if (!(found < least)) break;
    least = found;
    range = next;
  }
  return range;
}

}  // namespace

double Float32Scale(double scale) {
  constexpr double kLeast = std::numeric_limits<float>::min(), kMost = std::numeric_limits<float>::max();
  return static_cast<double>(static_cast<float>(std::clamp(scale, kLeast, kMost)));
}

QuantizationRange RangeCovering(double low, double high, const Format& format) {
  low = std::min(low, 0.0);
  high = std::max(high, 0.0);
  const auto qmin = static_cast<double>(format.QuantMin()), qmax = static_cast<double>(format.QuantMax());
  if (low == 0 && high == 0) return {1, 0};
  if (format.scheme == Scheme::Symmetric) return {Float32Scale(std::max(high / qmax, low / qmin)), 0};
  // The zero point is an integer, so one end moves outward a little: the scale grows until both ends are covered.
  const auto scale_at = [&](double zero_point) {
    double scale = 0;
    if (low < 0) scale = std::max(scale, -low / zero_point);
    if (high > 0) scale = std::max(scale, high / (qmax - zero_point));
    return scale;
  };
  const double ideal = std::clamp(-low / ((high - low) / qmax), low < 0 ? 1.0 : 0.0, high > 0 ? qmax - 1 : qmax);
  const double below = std::floor(ideal), above = std::ceil(ideal);
  const double zero_point = scale_at(below) < scale_at(above) ? below : above;
  return {Float32Scale(scale_at(zero_point)), static_cast<std::int64_t>(zero_point)};
}

QuantizationRange Calibrate(const Distribution& distribution, const Format& format) {
  const Clip full{std::min(distribution.min, 0.0), std::max(distribution.max, 0.0)};
  const auto search = [&](const auto& error) {
    return SearchRange(full, format,
                       [&](const QuantizationRange& range, double limit) { return error(range, format, limit); });
  };
  switch (format.calibrator) {
    case Calibrator::Max:
      break;
    case Calibrator::Percentile: {
      const Clip clip = PercentileClip(distribution, format);
      if (clip.low < 0 || clip.high > 0) return RangeCovering(clip.low, clip.high, format);
      break;
    }
    case Calibrator::Mse: {
      const SquaredError error(distribution);
      return Refine(search(error), error, format);
    }
    case Calibrator::Entropy:
      return search(Divergence(distribution));
  }
  return RangeCovering(full.low, full.high, format);
}

}  // namespace bitplan
