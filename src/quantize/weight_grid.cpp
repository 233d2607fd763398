#include "quantize/weight_grid.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "calibration/codebook.h"
#include "quantize/straight_through.h"

namespace bitplan::quantize {

namespace {

/// A grid whose channels' scales are multiplied by their gains.
QuantizedTensor GridWithGain(QuantizedTensor grid, const at::Tensor& gain) {
  const at::Tensor factor = grid.scale.dim() < 2 ? gain : gain.unsqueeze(1);
  grid.scale = grid.scale * factor;
  if (grid.negative_scale.defined()) grid.negative_scale = grid.negative_scale * factor;
  if (grid.outlier_values.defined())
    grid.outlier_values = (grid.outlier_values.to(at::kFloat) * gain.unsqueeze(1)).to(at::kHalf);
  return grid;
}

at::ScalarType CodeType(const Format& format) {
  if (!format.IsInteger()) return at::kByte;
  if (format.bits <= 8) return format.scheme == Scheme::Symmetric ? at::kChar : at::kByte;
  return format.scheme == Scheme::Symmetric ? at::kShort : at::kInt;
}

CodedWeight IntegerCodes(const at::Tensor& ratio, const QuantizedTensor& grid) {
  const at::Tensor position = ratio.round().add_(AlongWeight(grid.zero_point, ratio.sizes(), grid));
  const at::Tensor q =
      position.clamp(static_cast<double>(grid.format.QuantMin()), static_cast<double>(grid.format.QuantMax()));
  return {q.to(CodeType(grid.format)), position.eq(q)};
}

/// −1 and 1 are the codes 0 and 2.
CodedWeight TernaryCodes(const at::Tensor& weight, const QuantizedTensor& grid) {
  const at::Tensor kept = weight.abs().gt(AlongWeight(grid.threshold, weight.sizes(), grid));
  return {(weight.sign().mul_(kept) + 1).to(at::kByte), at::ones_like(weight, at::kBool)};
}

CodedWeight CodebookCodes(const at::Tensor& ratio, const QuantizedTensor& grid) {
  const calibration::Codebook book = calibration::CodebookOf(grid.format.type, grid.format.bits);
  const at::Tensor boundaries = at::tensor(book.Boundaries<double>(), ratio.options());
  const at::Tensor codes = at::tensor(book.codes, ratio.options().dtype(at::kByte));
  const at::Tensor inside = grid.format.type == NumberType::Binary
                                ? at::ones_like(ratio, at::kBool)
                                : ratio.ge(book.levels.front()).logical_and_(ratio.le(book.levels.back()));
  return {codes.take(at::bucketize(ratio, boundaries)), inside};
}

at::Tensor ValueOfCodes(const at::Tensor& q, const QuantizedTensor& grid) {
  const at::Tensor scale = AlongWeight(grid.scale, q.sizes(), grid);
  if (grid.format.IsInteger()) return scale * (q.to(at::kFloat) - AlongWeight(grid.zero_point, q.sizes(), grid));
  const at::Tensor levels = LevelTable(grid.format).to(q.device()).take(q.to(at::kLong));
  if (!grid.negative_scale.defined()) return scale * levels;
  return at::where(levels.lt(0), AlongWeight(grid.negative_scale, q.sizes(), grid), scale) * levels;
}

}  // namespace

at::Tensor AlongChannels(const at::Tensor& numbers, std::int64_t dimensions, int channel_axis) {
  std::vector<std::int64_t> shape(static_cast<std::size_t>(dimensions), 1);
  shape[static_cast<std::size_t>(channel_axis)] = numbers.numel();
  return numbers.view(shape);
}

at::Tensor AlongWeight(const at::Tensor& numbers, at::IntArrayRef weight_shape, const QuantizedTensor& grid) {
  if (numbers.dim() < 2)
    return AlongChannels(numbers, static_cast<std::int64_t>(weight_shape.size()), grid.channel_axis);
  std::vector<std::int64_t> shape = weight_shape.vec();  // with the channels in front
  const auto channels = shape.begin() + grid.channel_axis;
  std::rotate(shape.begin(), channels, channels + 1);
  const std::int64_t length = c10::multiply_integers(shape) / shape[0];
  return numbers.repeat_interleave(grid.format.group_size, 1)
      .narrow(1, 0, length)
      .view(shape)
      .movedim(0, grid.channel_axis);
}

QuantizedTensor RowsOf(const QuantizedTensor& grid, std::int64_t first, std::int64_t count) {
  QuantizedTensor part = grid;
  for (at::Tensor* numbers : {&part.scale, &part.zero_point, &part.threshold, &part.negative_scale})
    if (numbers->defined() && grid.format.granularity != Granularity::Tensor)
      *numbers = numbers->narrow(0, first, count);
  return part;
}

QuantizedTensor ColumnOf(const QuantizedTensor& grid, std::int64_t column) {
  QuantizedTensor part = grid;
  if (!grid.format.InGroups()) return part;
  for (at::Tensor* numbers : {&part.scale, &part.zero_point, &part.threshold, &part.negative_scale})
    if (numbers->defined()) *numbers = numbers->select(1, column / grid.format.group_size);
  return part;
}

at::Tensor LevelTable(const Format& format) {
  const calibration::Codebook book = calibration::CodebookOf(format.type, format.bits);
  at::Tensor table = at::full({std::int64_t{1} << format.bits}, std::numeric_limits<float>::quiet_NaN());
  for (std::size_t i = 0; i < book.levels.size(); ++i)
    table.mutable_data_ptr<float>()[book.codes[i]] = static_cast<float>(book.levels[i]);
  return table;
}

CodedWeight CodesOf(const at::Tensor& weight, const QuantizedTensor& grid) {
  const at::Tensor w = weight.to(at::kDouble);
  if (grid.format.type == NumberType::Ternary) return TernaryCodes(w, grid);
  const at::Tensor ratio =
      (w / AlongWeight(grid.scale, weight.sizes(), grid)).contiguous();  // bucketize warns of others, aloud
  return grid.format.IsInteger() ? IntegerCodes(ratio, grid) : CodebookCodes(ratio, grid);
}

at::Tensor ValueOnGrid(const at::Tensor& q, const QuantizedTensor& grid) {
  at::Tensor value = ValueOfCodes(q, grid);
  return grid.outlier_values.defined() ? value.index_copy_(1, grid.outlier_columns, grid.outlier_values.to(at::kFloat))
                                       : value;
}

QuantizedTensor WithGain(const QuantizedTensor& weight, const at::Tensor& gain) {
  QuantizedTensor result = weight.format.HasScale() ? GridWithGain(weight, gain) : weight;
  if (weight.format.HasScale()) {
    result.value = ValueOnGrid(weight.q, result);
    return result;
  }
  result.value = weight.value * AlongChannels(gain, weight.value.dim(), weight.channel_axis);
  if (weight.format.bits == 16) {
    result.q = result.value.to(weight.q.scalar_type());
    result.value = result.q.to(at::kFloat);
  }
  return result;
}

at::Tensor FakeQuantizeWeight(const at::Tensor& weight, const QuantizedTensor& grid, const at::Tensor& gain) {
  const at::Tensor slope = gain.defined() ? AlongChannels(gain, weight.dim(), grid.channel_axis) : gain;
  if (grid.format.bits == 32) return gain.defined() ? weight * slope : weight;
  QuantizedTensor quantized = grid;
  if (grid.format.bits == 16 && !grid.format.HasScale()) {
    quantized.q = weight.detach().to(grid.q.scalar_type());
    quantized.value = quantized.q.to(at::kFloat);
    return StraightThrough(gain.defined() ? WithGain(quantized, gain).value : quantized.value, weight, slope);
  }
  const CodedWeight coded = CodesOf(weight.detach(), grid);
  if (grid.outlier_columns.defined()) {
    coded.inside.index_fill_(1, grid.outlier_columns, true);
    quantized.outlier_values = weight.detach().index_select(1, grid.outlier_columns).to(at::kHalf);
  }
  if (gain.defined()) quantized = GridWithGain(std::move(quantized), gain);
  const at::Tensor inside = coded.inside.to(at::kFloat);
  return StraightThrough(ValueOnGrid(coded.q, quantized), weight, gain.defined() ? inside * slope : inside);
}

}  // namespace bitplan::quantize
