#pragma once

#include <vector>

#include "bitplan/quantize.h"

namespace bitplan {

/// The grids that QuantizeWeight finds for these formats, which differ in `bits` alone: without q and value. Throws Error as it does, a value
/// beyond float16 aside.
std::vector<QuantizedTensor> FindGrids(const at::Tensor& weight, const std::vector<Format>& formats, int channel_axis);

/// `weight` on a grid found for it. Throws Error: a value beyond float16 at 16 bits.
QuantizedTensor PutOnGrid(const at::Tensor& weight, const QuantizedTensor& grid);

/// One number a channel (or one in all), in a shape that broadcasts over the weight it belongs to.
at::Tensor AlongChannels(const at::Tensor& numbers, std::int64_t dimensions, int channel_axis);

/// round_half_even(w / scale) + zero_point in float32, not clamped.
at::Tensor GridPosition(const at::Tensor& weight, const QuantizedTensor& grid);

/// scale · (q − zero_point).
at::Tensor ValueOnGrid(const at::Tensor& q, const QuantizedTensor& grid);

/// The same weight with every output channel multiplied by its gain [channels]: integers keep their q and get another
/// scale.
QuantizedTensor WithGain(const QuantizedTensor& weight, const at::Tensor& gain);

/// WithGain(Q(w), gain).value of a float weight, on the grid found before; `gain` may be undefined. The gradient is the
/// gain inside the clipping range and 0 outside.
at::Tensor FakeQuantizeWeight(const at::Tensor& weight, const QuantizedTensor& grid, const at::Tensor& gain);

}  // namespace bitplan
