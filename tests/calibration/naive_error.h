#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>

#include "bitplan/format.h"
#include "calibration/range.h"

namespace bitplan {

/// x̂ by the formula of the format, one value at a time.
inline double Quantized(double x, const calibration::QuantizationRange& range, const Format& format) {
  const auto zero_point = static_cast<double>(range.zero_point);
  const double q = std::clamp(std::nearbyint(x / range.scale) + zero_point, static_cast<double>(format.QuantMin()),
                              static_cast<double>(format.QuantMax()));
  return range.scale * (q - zero_point);
}

/// Mean squared error, value by value.
inline double NaiveError(std::span<const float> values, const calibration::QuantizationRange& range,
                         const Format& format) {
  double error = 0;
  for (const double x : values) error += std::pow(x - Quantized(x, range, format), 2);
  return error / static_cast<double>(values.size());
}

}  // namespace bitplan
