#pragma once

#include <cstdint>

#include "bitplan/format.h"
#include "quantize/calibration/distribution.h"

namespace bitplan {

/// Where an integer grid lies: x̂ = scale · (q − zero_point).
struct QuantizationRange {
  double scale = 1;             ///< exactly a float32, positive and not subnormal
  std::int64_t zero_point = 0;  ///< on the grid, so that 0.0 is exact; 0 for symmetric grids
};

/// `scale` rounded to float32, within what float32 holds without becoming subnormal.
double Float32Scale(double scale);

/// The finest grid of `format` (integer bits) that covers [low, high] and 0. An asymmetric grid's zero point is an
/// integer, which makes it a little wider than that on one side. Scale 1 when both ends are 0.
QuantizationRange RangeCovering(double low, double high, const Format& format);

/// The range that `format.calibrator` picks for the values; `format` has integer bits. Calibrator::Mse is never worse
/// than Calibrator::Max, and a calibrator that would clip everything to zero gives Calibrator::Max.
QuantizationRange Calibrate(const Distribution& distribution, const Format& format);

}  // namespace bitplan
