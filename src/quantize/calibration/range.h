#pragma once

#include <cstdint>

#include "bitplan/format.h"
#include "quantize/calibration/distribution.h"

namespace bitplan {

/// Where an integer grid lies: x̂ = scale · (q − zero_point).
struct QuantizationRange {
  double scale = 1;  ///< > 0 and exactly a float32
  std::int64_t zero_point = 0;
};

/// The grid of `format` (integer) whose ends come closest to low and high: 0 is always on it. Symmetric grids cover the
/// larger of the two sides.
QuantizationRange RangeCovering(double low, double high, const Format& format);

/// The range that `format.calibrator` picks for the values.
QuantizationRange Calibrate(const Distribution& distribution, const Format& format);

}  // namespace bitplan
