#pragma once

#include "bitplan/quantize.h"

namespace bitplan {

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
