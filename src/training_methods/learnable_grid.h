#pragma once

#include <string>

#include "bitplan/format.h"
#include "calibration/distribution.h"
#include "on_grid.h"

namespace bitplan::training_methods {

/// The integers of a format as a learned scale has them, whatever the format's scheme: around 0 where values go below
/// 0, from 0 on elsewhere. An asymmetric format says so by its zero point; a symmetric one becomes an unsigned one for
/// values from 0 on.
struct LearnableGrid {
  Format format;
  std::int64_t zero_point = 0;

  double Low() const { return static_cast<double>(format.QuantMin() - zero_point); }
  double High() const { return static_cast<double>(format.QuantMax() - zero_point); }

  /// The gradient of a learned scale (LSQ, Esser et al. 2020, equation 3).
  GridRule Rule(double gradient_scale = 1) const { return {Low(), High(), 1, Low(), High(), gradient_scale}; }
};

/// `format` is of integers.
LearnableGrid GridAround(const Format& format, bool below_zero);

/// The scale that the format's calibrator finds for such a grid.
double CenteredScale(const calibration::Distribution& values, const LearnableGrid& grid);

/// What keeps a scale from being learned, and what would be right; empty: nothing. Integers can, with scales that take
/// any value, fixed at run time, of the whole tensor or a channel, and some level above 0.
std::string LearnableScaleFault(const Format& format);

}  // namespace bitplan::training_methods
