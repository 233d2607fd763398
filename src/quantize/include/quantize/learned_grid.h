#pragma once

#include "bitplan/plan.h"
#include "bitplan/quantize.h"

namespace bitplan::quantize {

/// `weight` on the grid that training left it. Throws Error as QuantizeWeight does, and when `learned` is not of that
/// format: other counts of numbers than there are scales, zero points that are not on the grid, scales that are not of
/// the format's type.
QuantizedTensor PutOnLearnedGrid(const at::Tensor& weight, const Format& format, int channel_axis,
                                 const LearnedGrid& learned);

}  // namespace bitplan::quantize
