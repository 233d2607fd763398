#pragma once

#include <functional>

#include "bitplan/format.h"
#include "calibration/range.h"
#include "clip.h"

namespace bitplan::calibration {

/// Error of a grid; one that is not below `limit`, the least so far, need not be computed to the end.
using RangeError = std::function<double(const QuantizationRange& range, double limit)>;

/// The grid of least error within `full`: clips of it down to 2 % are scanned coarsely, for asymmetric formats each end
/// on its own; then, around the best so far, scales and zero points ever more finely. Never worse than the grid that
/// covers `full`.
QuantizationRange SearchRange(const Clip& full, const Format& format, const RangeError& error_of);

}  // namespace bitplan::calibration
