#include "quantize/weight_grid.h"

#include <ATen/ATen.h>

namespace bitplan {

namespace {

/// `value`, with the gradient of `source` times `slope`. Exact: what is added is a difference of equal numbers.
at::Tensor StraightThrough(const at::Tensor& value, const at::Tensor& source, const at::Tensor& slope) {
  const at::Tensor nothing = source - source.detach();
  return value + (slope.defined() ? nothing * slope : nothing);
}

}  // namespace

at::Tensor AlongChannels(const at::Tensor& numbers, std::int64_t dimensions, int channel_axis) {
  std::vector<std::int64_t> shape(static_cast<std::size_t>(dimensions), 1);
  shape[static_cast<std::size_t>(channel_axis)] = numbers.numel();
  return numbers.view(shape);
}

at::Tensor GridPosition(const at::Tensor& weight, const QuantizedTensor& grid) {
  const at::Tensor scale = AlongChannels(grid.scale, weight.dim(), grid.channel_axis);
  return (weight / scale).round_().add_(AlongChannels(grid.zero_point, weight.dim(), grid.channel_axis));
}

at::Tensor ValueOnGrid(const at::Tensor& q, const QuantizedTensor& grid) {
  const at::Tensor steps = q.to(at::kFloat) - AlongChannels(grid.zero_point, q.dim(), grid.channel_axis);
  return AlongChannels(grid.scale, q.dim(), grid.channel_axis) * steps;
}

QuantizedTensor WithGain(const QuantizedTensor& weight, const at::Tensor& gain) {
  QuantizedTensor result = weight;
  if (weight.format.IsInteger()) {
    result.scale = weight.scale * gain;
    result.value = ValueOnGrid(weight.q, result);
    return result;
  }
  result.value = weight.value * AlongChannels(gain, weight.value.dim(), weight.channel_axis);
  if (weight.format.bits == 16) {
    result.q = result.value.to(at::kHalf);
    result.value = result.q.to(at::kFloat);
  }
  return result;
}

at::Tensor FakeQuantizeWeight(const at::Tensor& weight, const QuantizedTensor& grid, const at::Tensor& gain) {
  const at::Tensor slope = gain.defined() ? AlongChannels(gain, weight.dim(), grid.channel_axis) : gain;
  if (grid.format.bits == 32) return gain.defined() ? weight * slope : weight;
  const at::Tensor source = weight.detach();
  QuantizedTensor quantized = grid;
  if (grid.format.bits == 16) {
    quantized.q = source.to(at::kHalf);
    quantized.value = quantized.q.to(at::kFloat);
    return StraightThrough(gain.defined() ? WithGain(quantized, gain).value : quantized.value, weight, slope);
  }
  const at::Tensor position = GridPosition(source, grid);
  quantized.q =
      position.clamp(static_cast<double>(grid.format.QuantMin()), static_cast<double>(grid.format.QuantMax()));
  if (gain.defined()) quantized.scale = grid.scale * gain;
  const at::Tensor inside = position.eq(quantized.q).to(at::kFloat);
  return StraightThrough(ValueOnGrid(quantized.q, quantized), weight, gain.defined() ? inside * slope : inside);
}

}  // namespace bitplan
