#include "range_search.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tuning.h"

namespace bitplan::calibration {

namespace {

class RangeSearch {
 public:
  RangeSearch(const Clip& full, const Format& format, const RangeError& error_of)
      : full_(full),
        format_(format),
        error_of_(error_of),
        widest_(RangeCovering(full.low, full.high, format)),
        best_(widest_),
        least_(error_of(widest_, std::numeric_limits<double>::infinity())) {}

  QuantizationRange Run() {
    // A symmetric grid has one end to choose, and so has an asymmetric one that starts at 0.
    const bool one_end = !format_.HasZeroPoint() || full_.low == 0 || full_.high == 0;
    const int steps = one_end ? 256 : 32;
    // A symmetric grid reaches one step further down than up: not using that step can be better, at a wider scale.
    const double reach =
        one_end && format_.IsInteger() && format_.QuantMax() > 0 ? static_cast<double>(format_.QuantMax() + 1) : 1;
    const int widest = reach > 1 ? static_cast<int>(steps * reach / (reach - 1)) : steps;
    for (int low = widest; low >= 0; --low) {
      if (one_end) {
        ConsiderClip(low, low, steps);
        continue;
      }
      for (int high = steps; high >= 0; --high) ConsiderClip(low, high, steps);
    }
    for (double step = widest_.scale / 64 / tuning::kStepsInOne;
         step > widest_.scale / steps / tuning::kStepsInOne / tuning::kStepsInOne / 2; step /= tuning::kStepsInOne)
      Refine(step);
    return best_;
  }

 private:
  void ConsiderClip(int low, int high, int steps) {
    const Clip clip{full_.low * low / steps, full_.high * high / steps};
    if (clip.high - clip.low >= tuning::kNarrowestClip * (full_.high - full_.low))
      Consider(RangeCovering(clip.low, clip.high, format_));
  }

  /// Moves to the best neighbor until there is none that is better.
  void Refine(double step) {
    const std::int64_t shifts = format_.HasZeroPoint() ? 2 : 0;
    for (int move = 0; move < tuning::kMostMoves; ++move) {
      const double before = least_;
      const QuantizationRange center = best_;
      for (std::int64_t shift = -shifts; shift <= shifts; ++shift)
        for (int k = -tuning::kStepsInOne; k <= tuning::kStepsInOne; ++k)
          Consider({center.scale + k * step, center.zero_point + shift});
      if (!(least_ < before)) return;
    }
  }

  void Consider(QuantizationRange range) {
    range.scale = Float32Scale(range.scale);
    if (format_.HasZeroPoint() &&
        range.zero_point != std::clamp(range.zero_point, format_.QuantMin(), format_.QuantMax()))
      return;
    const double error = error_of_(range, least_);
    if (!(error < least_)) return;
    least_ = error;
    best_ = range;
  }

  const Clip full_;
  const Format& format_;
  const RangeError& error_of_;
  const QuantizationRange widest_;
  QuantizationRange best_;
  double least_;
};

}  // namespace

QuantizationRange SearchRange(const Clip& full, const Format& format, const RangeError& error_of) {
  return RangeSearch(full, format, error_of).Run();
}

}  // namespace bitplan::calibration
