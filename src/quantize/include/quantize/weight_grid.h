#pragma once

#include <vector>

#include "bitplan/quantize.h"

namespace bitplan::quantize {

/// Throws Error: not a floating-point tensor, no such axis, no elements, NaN or Inf.
void CheckWeight(const at::Tensor& weight, int channel_axis);

/// How many scales a format with scales gives a weight whose channels lie along `channel_axis`, counted from the front.
std::int64_t ScaleCount(const at::Tensor& weight, const Format& format, int channel_axis);

/// The grids that QuantizeWeight finds for these formats, which differ in `bits` alone: without q and value. Throws
/// Error as it does, a value beyond float16 aside.
std::vector<QuantizedTensor> FindGrids(const at::Tensor& weight, const std::vector<Format>& formats, int channel_axis);

/// `weight` on a grid found for it. Throws Error: a value beyond float16 at 16 bits.
QuantizedTensor PutOnGrid(const at::Tensor& weight, const QuantizedTensor& grid);

/// The grid of some of the channels of a weight [out, …], which lie along axis 0.
QuantizedTensor RowsOf(const QuantizedTensor& grid, std::int64_t first, std::int64_t count);

/// The grid of one column [out, 1] of a weight seen as [out, d].
QuantizedTensor ColumnOf(const QuantizedTensor& grid, std::int64_t column);

/// One number a channel (or one in all), in a shape that broadcasts over the weight it belongs to.
at::Tensor AlongChannels(const at::Tensor& numbers, std::int64_t dimensions, int channel_axis);

/// A grid's scales or thresholds, in a shape that broadcasts over the weight, whatever shares one.
at::Tensor AlongWeight(const at::Tensor& numbers, at::IntArrayRef weight_shape, const QuantizedTensor& grid);

/// By code, what the codes of a format with scales that is not of integers stand for at scale 1, float32; NaN for codes
/// that stand for no number.
at::Tensor LevelTable(const Format& format);

/// A float weight in a grid's codes, and where it is not clipped.
struct CodedWeight {
  at::Tensor q;       ///< as QuantizedTensor::q, in the weight's shape
  at::Tensor inside;  ///< bool: |w / scale| lies on the grid's range
};

/// The nearest codes of a format with scales, found in double precision. `grid` has its scales.
CodedWeight CodesOf(const at::Tensor& weight, const QuantizedTensor& grid);

/// What the codes stand for: scale · (q − zero_point), or scale · level.
at::Tensor ValueOnGrid(const at::Tensor& q, const QuantizedTensor& grid);

/// The same weight with every output channel multiplied by its gain [channels]: formats with scales keep their codes
/// and get other scales, which must be free to take any value: of type Float32 and not of the whole tensor.
QuantizedTensor WithGain(const QuantizedTensor& weight, const at::Tensor& gain);

/// WithGain(Q(w), gain).value of a float weight, on the grid found before; `gain` may be undefined. The gradient is the
/// gain inside the clipping range and 0 outside.
at::Tensor FakeQuantizeWeight(const at::Tensor& weight, const QuantizedTensor& grid, const at::Tensor& gain);

}  // namespace bitplan::quantize
