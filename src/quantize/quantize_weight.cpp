#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <span>
#include <vector>

#include "bitplan/error.h"
#include "bitplan/quantize.h"
#include "quantize/calibration/range.h"
#include "quantize/weight_grid.h"

namespace bitplan {

namespace {

void CheckWeight(const at::Tensor& weight, int channel_axis) {
  if (!weight.defined() || !weight.is_floating_point()) throw Error("a weight must be a floating-point tensor");
  if (channel_axis < -weight.dim() || channel_axis >= weight.dim())
    throw Error(fmt::format("channel axis {} is not an axis of a weight with {} axes", channel_axis, weight.dim()));
  if (weight.numel() == 0) throw Error("a weight without elements cannot be quantized");
  if (!weight.isfinite().all().item<bool>())
    throw Error("a weight that holds NaN or an infinite value cannot be quantized");
}

/// One range for each row of `rows`, a contiguous float32 matrix on the CPU.
std::vector<QuantizationRange> CalibrateRows(const at::Tensor& rows, const Format& format) {
  const auto length = static_cast<std::size_t>(rows.size(1));
  const std::span<const float> values(rows.const_data_ptr<float>(), static_cast<std::size_t>(rows.numel()));
  std::vector<QuantizationRange> ranges(static_cast<std::size_t>(rows.size(0)));
  at::parallel_for(0, rows.size(0), 1, [&](std::int64_t begin, std::int64_t end) {
    for (auto row = static_cast<std::size_t>(begin); row < static_cast<std::size_t>(end); ++row)
      ranges[row] = Calibrate(DistributionOf(values.subspan(row * length, length)), format);
  });
  return ranges;
}

void SetGrid(QuantizedTensor& tensor, const std::vector<QuantizationRange>& ranges, at::Device device) {
  std::vector<float> scales;
  std::vector<int> zero_points;
  for (const QuantizationRange& range : ranges) {
    scales.push_back(static_cast<float>(range.scale));
    zero_points.push_back(static_cast<int>(range.zero_point));
  }
  tensor.scale = at::tensor(scales, at::kFloat).to(device);
  tensor.zero_point = at::tensor(zero_points, at::kInt).to(device);
}

}  // namespace

QuantizedTensor QuantizeWeight(const at::Tensor& weight, const Format& format, int channel_axis) {
  format.Validate();
  CheckWeight(weight, channel_axis);
  const at::NoGradGuard no_grad;
  QuantizedTensor result;
  result.format = format;
  result.channel_axis = channel_axis < 0 ? channel_axis + static_cast<int>(weight.dim()) : channel_axis;
  result.value = weight.detach().to(at::kFloat);
  if (format.bits == 32) return result;
  if (format.bits == 16) {
    result.q = result.value.to(at::kHalf);
    result.value = result.q.to(at::kFloat);
    if (!result.value.isfinite().all().item<bool>())
      throw Error("a weight beyond 65504 does not fit 16 bits; keep it at 32");
    return result;
  }
  const at::Tensor values = result.value.to(at::kCPU).movedim(result.channel_axis, 0);
  const std::int64_t rows = format.granularity == Granularity::Channel ? values.size(0) : 1;
  SetGrid(result, CalibrateRows(values.reshape({rows, -1}).contiguous(), format), weight.device());
  result.q = GridPosition(result.value, result)
                 .clamp_(static_cast<double>(format.QuantMin()), static_cast<double>(format.QuantMax()))
                 .to(format.scheme == Scheme::Symmetric ? at::kChar : at::kByte);
  result.value = ValueOnGrid(result.q, result);
  return result;
}

}  // namespace bitplan
