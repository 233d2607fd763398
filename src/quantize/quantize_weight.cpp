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

/// For each of `formats`, which have integer bits, one range for each row of `rows`, a contiguous float32 matrix on the CPU.
std::vector<std::vector<QuantizationRange>> CalibrateRows(const at::Tensor& rows, const std::vector<Format>& formats) {
  const auto length = static_cast<std::size_t>(rows.size(1)), count = static_cast<std::size_t>(rows.size(0));
  const std::span<const float> values(rows.const_data_ptr<float>(), static_cast<std::size_t>(rows.numel()));
  std::vector<std::vector<QuantizationRange>> ranges(formats.size(), std::vector<QuantizationRange>(count));
  at::parallel_for(0, rows.size(0), 1, [&](std::int64_t begin, std::int64_t end) {
    for (auto row = static_cast<std::size_t>(begin); row < static_cast<std::size_t>(end); ++row) {
      const Distribution distribution = DistributionOf(values.subspan(row * length, length));
      for (std::size_t i = 0; i < formats.size(); ++i) ranges[i][row] = Calibrate(distribution, formats[i]);
    }
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

std::vector<QuantizedTensor> FindGrids(const at::Tensor& weight, const std::vector<Format>& formats, int channel_axis) {
  for (const Format& format : formats) format.Validate();
  CheckWeight(weight, channel_axis);
  const at::NoGradGuard no_grad;
  std::vector<QuantizedTensor> grids;
  std::vector<Format> integers;
  for (const Format& format : formats) {
    QuantizedTensor& grid = grids.emplace_back();
    grid.format = format;
    grid.channel_axis = channel_axis < 0 ? channel_axis + static_cast<int>(weight.dim()) : channel_axis;
    if (format.IsInteger()) integers.push_back(format);
  }
  if (integers.empty()) return grids;
  const bool by_channel = integers.front().granularity == Granularity::Channel;
  const at::Tensor values = weight.detach().to(at::kCPU, at::kFloat).movedim(channel_axis, 0);
  const auto ranges = CalibrateRows(values.reshape({by_channel ? values.size(0) : 1, -1}).contiguous(), integers);
  auto next = ranges.begin();
  for (QuantizedTensor& grid : grids)
    if (grid.format.IsInteger()) SetGrid(grid, *next++, weight.device());
  return grids;
}

QuantizedTensor PutOnGrid(const at::Tensor& weight, const QuantizedTensor& grid) {
  const at::NoGradGuard no_grad;
  QuantizedTensor result = grid;
  result.value = weight.detach().to(at::kFloat);
  if (grid.format.bits == 32) return result;
  if (grid.format.bits == 16) {
    result.q = result.value.to(at::kHalf);
    result.value = result.q.to(at::kFloat);
    if (!result.value.isfinite().all().item<bool>())
      throw Error("a weight beyond 65504 does not fit 16 bits; keep it at 32");
    return result;
  }
  result.q = GridPosition(result.value, grid)
                 .clamp_(static_cast<double>(grid.format.QuantMin()), static_cast<double>(grid.format.QuantMax()))
                 .to(grid.format.scheme == Scheme::Symmetric ? at::kChar : at::kByte);
  result.value = ValueOnGrid(result.q, grid);
  return result;
}

QuantizedTensor QuantizeWeight(const at::Tensor& weight, const Format& format, int channel_axis) {
  return PutOnGrid(weight, FindGrids(weight, {format}, channel_axis).front());
}

}  // namespace bitplan
