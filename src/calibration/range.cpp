#include "calibration/range.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "clip.h"
#include "histogram_divergence.h"
#include "levels.h"
#include "moment_clip.h"
#include "percentile.h"
#include "range_search.h"
#include "squared_error.h"
#include "tuning.h"

namespace bitplan::calibration {

namespace {

/// Rounding with the best scale and finding the best scale for that rounding, in turns: each lowers the error (Lloyd
/// 1982).
QuantizationRange Refine(QuantizationRange range, const SquaredError& error, const Levels& levels) {
  double least = error(range, levels);
  for (int turn = 0; turn < tuning::kMostTurns; ++turn) {
    const QuantizationRange next{Float32Scale(error.BestScale(range, levels)), range.zero_point};
    const double found = error(next, levels);
    if (!(found < least)) break;
    least = found;
    range = next;
  }
  return range;
}

/// Of the scale that covers `full`, the one above it (the rule of MX blocks clips) and some finer ones, the one with
/// the least error.
QuantizationRange SearchPowerOfTwo(const Clip& full, const Format& format, const RangeError& error_of) {
  QuantizationRange best = RangeCovering(full.low, full.high, format);
  double least = error_of(best, std::numeric_limits<double>::infinity());
  for (int halvings = -1; halvings <= tuning::kPowersOfTwoTried; ++halvings) {
    const QuantizationRange range =
        RangeCovering(std::ldexp(full.low, -halvings), std::ldexp(full.high, -halvings), format);
    const double error = error_of(range, least);
    if (!(error < least)) continue;
    least = error;
    best = range;
  }
  return best;
}

}  // namespace

std::int64_t BytesOfValue(const Format& format) {
  constexpr std::int64_t kKeys = 4, kSorted = 16,
                         kSums = 40;  // values and counts; sums of SquaredError and their index
  switch (format.calibrator) {
    case Calibrator::Max:
    case Calibrator::Dynamic:
    case Calibrator::AverageMax:
    case Calibrator::MovingAverage:
      return 0;
    case Calibrator::Mse:
      return kSorted + kSums;
    case Calibrator::Entropy:
      return 2 * kSorted;
    case Calibrator::Percentile:
    case Calibrator::Deviations:
    case Calibrator::Laplace:
    case Calibrator::Gauss:
      break;
  }
  return kKeys + kSorted;
}

QuantizationRange Calibrate(const Distribution& distribution, const Format& format) {
  if (format.IsInteger() && format.scheme == Scheme::AutoSigned)
    return WithItsSign(format, distribution.min, [&](const Format& fixed) { return Calibrate(distribution, fixed); });
  const Clip full{std::min(distribution.min, 0.0), std::max(distribution.max, 0.0)};
  const Levels levels(format);
  const auto search = [&](const auto& error) {
    const auto of = [&](const QuantizationRange& range, double limit) { return error(range, levels, limit); };
    return format.scale_type == ScaleType::PowerOfTwo ? SearchPowerOfTwo(full, format, of)
                                                      : SearchRange(full, format, of);
  };
  Clip clip = full;
  switch (format.calibrator) {
    case Calibrator::Max:
    case Calibrator::Dynamic:
      break;
    case Calibrator::Percentile:
      clip = PercentileClip(distribution, format);
      break;
    case Calibrator::Mse: {
      const SquaredError error(distribution);
      const QuantizationRange found = search(error);
      return format.scale_type == ScaleType::PowerOfTwo ? found : Refine(found, error, levels);
    }
    case Calibrator::Entropy:
      return search(HistogramDivergence(distribution));
    case Calibrator::AverageMax:
      clip = {std::min(distribution.average.min, 0.0), std::max(distribution.average.max, 0.0)};
      break;
    case Calibrator::MovingAverage:
      clip = {std::min(distribution.moving.min, 0.0), std::max(distribution.moving.max, 0.0)};
      break;
    case Calibrator::Deviations:
      clip = DeviationsClip(distribution, format);
      break;
    case Calibrator::Laplace:
    case Calibrator::Gauss:
      clip = AnalyticClip(distribution, format);
      break;
  }
  if (clip.low == 0 && clip.high == 0) clip = full;
  return RangeCovering(clip.low, clip.high, format);
}

}  // namespace bitplan::calibration
