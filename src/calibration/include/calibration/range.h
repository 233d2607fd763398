#pragma once

#include <cstdint>
#include <functional>

#include "bitplan/format.h"
#include "calibration/distribution.h"

namespace bitplan::calibration {

/// Where a grid lies: x̂ = scale · (q − zero_point), or scale · level.
struct QuantizationRange {
  double scale = 1;             ///< exactly a float32, positive and not subnormal
  std::int64_t zero_point = 0;  ///< on the grid, so that 0.0 is exact; 0 but for asymmetric and auto-signed integers
};

/// `scale` rounded to float32, within what float32 holds without becoming subnormal.
double Float32Scale(double scale);

/// The finest grid of `format` that covers [low, high] and 0; what is below 0 an unsigned grid need not cover. An
/// asymmetric grid's zero point is an integer, which makes it a little wider than that on one side. Scale 1 when there
/// is nothing but 0 to cover. Power-of-two scales are the finest that cover, with two exceptions: the levels of
/// NumberType::PowerOfTwo need only reach so far that the ends round to the outermost (Zhou et al. 2017: 2^⌊log2(4m/3)⌋
/// for magnitudes up to m); and blocks get 2^(⌊log2 m⌋ − e), 2^e the largest power of two on the grid, which clips a
/// little (Open Compute Project, "Microscaling Formats", 2023, section 6.3).
QuantizationRange RangeCovering(double low, double high, const Format& format);

/// An auto-signed format's range at values down to `low`: that of the symmetric or unsigned format which it is there.
QuantizationRange WithItsSign(const Format& format, double low,
                              const std::function<QuantizationRange(const Format&)>& range_of);

/// What Calibrate holds for each value that it looks at, sorted and counted, in bytes; 0 where the largest and the
/// smallest are all that is asked for.
std::int64_t BytesOfValue(const Format& format);

/// The range that `format.calibrator` picks for the values; `format` has scales that it does not choose itself.
/// Calibrator::Mse is never worse than Calibrator::Max, and a calibrator that would clip everything to zero gives
/// Calibrator::Max.
QuantizationRange Calibrate(const Distribution& distribution, const Format& format);

}  // namespace bitplan::calibration
