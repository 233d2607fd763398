#include <ATen/ATen.h>
#include <fmt/format.h>

#include <utility>

#include "bitplan/error.h"
#include "bitplan/quantize.h"
#include "quantize/calibration/range.h"
#include "quantize/quantized_network.h"

namespace bitplan {

namespace {

/// Ranges of each row of a contiguous [channels, values] tensor.
std::vector<QuantizationRange> CalibrateRows(const at::Tensor& rows, const Format& format) {
  std::vector<QuantizationRange> ranges;
  const auto length = static_cast<std::size_t>(rows.size(1));
  const float* const values = rows.const_data_ptr<float>();
  for (std::int64_t row = 0; row < rows.size(0); ++row)
    ranges.push_back(Calibrate(DistributionOf({values + static_cast<std::size_t>(row) * length, length}), format));
  return ranges;
}

QuantizedTensor QuantizeToIntegers(const at::Tensor& weight, const Format& format, int channel_axis) {
  const at::Tensor by_channel = weight.to(at::kCPU, at::kFloat).movedim(channel_axis, 0);
  const bool per_channel = format.granularity == Granularity::Channel;
  const at::Tensor rows = (per_channel ? by_channel.flatten(1) : by_channel.reshape({1, -1})).contiguous();
  const auto ranges = CalibrateRows(rows, format);
  at::Tensor scale = at::empty({rows.size(0)}, at::kFloat), zero_point = at::empty({rows.size(0)}, at::kInt);
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    scale[static_cast<std::int64_t>(i)] = ranges[i].scale;
    zero_point[static_cast<std::int64_t>(i)] = ranges[i].zero_point;
  }
  std::vector<std::int64_t> shape(static_cast<std::size_t>(weight.dim()), 1);
  shape[static_cast<std::size_t>(channel_axis)] = rows.size(0);
  const at::Tensor s = scale.view(shape), z = zero_point.to(at::kFloat).view(shape);
  const at::Tensor q = ((weight.to(at::kCPU, at::kFloat) / s).round() + z)
                           .clamp(static_cast<double>(format.QuantMin()), static_cast<double>(format.QuantMax()));
  QuantizedTensor result;
  result.format = format;
  result.channel_axis = channel_axis;
  result.value = ((q - z) * s).to(weight.device());
  result.q = q.to(format.scheme == Scheme::Symmetric ? at::kChar : at::kByte).to(weight.device());
  result.scale = scale.to(weight.device());
  result.zero_point = zero_point.to(weight.device());
  return result;
}

}  // namespace

QuantizedTensor QuantizeWeight(const at::Tensor& weight, const Format& format, int channel_axis) {
  const at::NoGradGuard no_grad;
  format.Validate();
  if (channel_axis < 0 || channel_axis >= weight.dim())
    throw Error(fmt::format("channel axis {} of a weight of {} axes: expected 0 to {}", channel_axis, weight.dim(), weight.dim() - 1));
  if (!weight.isfinite().all().item<bool>()) throw Error("a weight that holds NaN or an infinite value cannot be quantized");
  if (format.IsInteger()) return QuantizeToIntegers(weight, format, channel_axis);
  QuantizedTensor result;
  result.format = format;
  result.channel_axis = channel_axis;
  if (format.bits == 16) result.q = weight.to(at::kHalf);
  result.value = format.bits == 16 ? result.q.to(at::kFloat) : weight.to(at::kFloat);
  return result;
}

at::Tensor FakeQuantizeWeight(const at::Tensor& weight, const QuantizedTensor& grid, const at::Tensor& alpha) {
  const Format& format = grid.format;
  if (!format.IsInteger()) {
    const at::Tensor rounded = FakeQuantize(weight, format, {});
    return alpha.defined() ? rounded * alpha : rounded;
  }
  // The grid's scales hold α already; the weights are put on the grid as it was before.
  const at::Tensor scale = alpha.defined() ? grid.scale / alpha.flatten() : grid.scale;
  const at::Tensor value =
      format.granularity == Granularity::Channel
          ? at::fake_quantize_per_channel_affine(weight, scale, grid.zero_point, grid.channel_axis, format.QuantMin(), format.QuantMax())
          : at::fake_quantize_per_tensor_affine(weight, scale.item<double>(), grid.zero_point.item<std::int64_t>(), format.QuantMin(),
                                                format.QuantMax());
  return alpha.defined() ? value * alpha : value;
}

}  // namespace bitplan
