#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>
#include <vector>

#include "bitplan/error.h"
#include "bitplan/quantize.h"
#include "calibration/double_quantize.h"
#include "calibration/range.h"
#include "quantize/weight_grid.h"
#include "tuning.h"

namespace bitplan {

namespace {

/// The values that share each scale: part i of `count`.
struct Parts {
  std::int64_t channels = 1, length = 0;  // of a channel
  std::int64_t size = 0;                  // of a part; a channel's last may be shorter

  std::int64_t PerChannel() const { return (length + size - 1) / size; }
  std::int64_t count() const { return channels * PerChannel(); }

  std::span<const float> operator()(std::span<const float> values, std::int64_t part) const {
    const std::int64_t begin = part % PerChannel() * size;
    return values.subspan(static_cast<std::size_t>(part / PerChannel() * length + begin),
                          static_cast<std::size_t>(std::min(size, length - begin)));
  }
};

Parts PartsOf(const Format& format, std::int64_t channels, std::int64_t values) {
  if (format.granularity == Granularity::Tensor) return {1, values, values};
  const std::int64_t length = values / channels;
  if (format.granularity == Granularity::Channel) return {channels, length, length};
  if (format.granularity == Granularity::Group && length % format.group_size != 0)
    throw Error(
        fmt::format("group_size: {} does not divide the {} values of a channel; expected a divisor, or blocks, whose "
                    "last may be shorter",
                    format.group_size, length));
  return {channels, length, std::min<std::int64_t>(format.group_size, length)};
}

/// Of each part, at once.
struct Grids {
  std::vector<float> scales, thresholds;
  std::vector<int> zero_points;
};

double MeanMagnitude(std::span<const float> values, double above) {
  double sum = 0, count = 0;
  for (const float value : values) {
    if (std::abs(value) <= above) continue;
    sum += std::abs(value);
    count += 1;
  }
  return count > 0 ? sum / count : 0;
}

/// BWN: the mean magnitude. TWN, equation 5: that of the magnitudes above 0.7 of the mean one.
void SetOwnScale(Grids& grids, std::size_t part, std::span<const float> values, const Format& format) {
  constexpr double kTernaryThreshold = 0.7;
  const double mean = MeanMagnitude(values, -1);
  if (format.type == NumberType::Ternary) grids.thresholds[part] = static_cast<float>(kTernaryThreshold * mean);
  grids.scales[part] =
      static_cast<float>(format.type == NumberType::Ternary ? MeanMagnitude(values, grids.thresholds[part]) : mean);
  if (grids.scales[part] == 0) grids.scales[part] = 1;  // all values are 0
}

bool ChoosesItsScale(const Format& format) {
  return format.type == NumberType::Binary || format.type == NumberType::Ternary;
}

/// For each of the formats, which have scales and share them alike; a part's values are sorted once, where a calibrator
/// looks at them.
std::vector<Grids> CalibrateParts(std::span<const float> values, const Parts& parts,
                                  const std::vector<Format>& formats) {
  const auto count = static_cast<std::size_t>(parts.count());
  std::vector<Grids> grids(formats.size(),
                           Grids{std::vector<float>(count), std::vector<float>(count), std::vector<int>(count)});
  const bool sorted = std::any_of(formats.begin(), formats.end(), [](const Format& format) {
    return calibration::BytesOfValue(format) > 0 && !ChoosesItsScale(format);
  });
  at::parallel_for(0, parts.count(), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t part = begin; part < end; ++part) {
      const auto index = static_cast<std::size_t>(part);
      const std::span<const float> of_part = parts(values, part);
      const calibration::Distribution distribution =
          sorted ? calibration::DistributionOf(of_part) : calibration::ExtremesOf(of_part);
      for (std::size_t i = 0; i < formats.size(); ++i) {
        if (ChoosesItsScale(formats[i])) {
          SetOwnScale(grids[i], index, of_part, formats[i]);
          continue;
        }
        const calibration::QuantizationRange range = calibration::Calibrate(distribution, formats[i]);
        grids[i].scales[index] = static_cast<float>(range.scale);
        grids[i].zero_points[index] = static_cast<int>(range.zero_point);
      }
    }
  });
  return grids;
}

void SetGrid(QuantizedTensor& tensor, Grids grids, std::int64_t per_channel, at::Device device) {
  if (tensor.format.scale_type == ScaleType::DoubleQuantized) {
    calibration::DoubleQuantizedScales coded = calibration::DoubleQuantize(grids.scales);
    tensor.scale_codes = {at::tensor(coded.codes, at::kByte).to(device), at::tensor(coded.block_scales).to(device),
                          coded.offset};
    grids.scales = std::move(coded.scales);
  }
  const auto shaped = [&](const at::Tensor& numbers) {
    return (tensor.format.InGroups() ? numbers.view({-1, per_channel}) : numbers).to(device);
  };
  tensor.scale = shaped(at::tensor(grids.scales, at::kFloat));
  if (tensor.format.IsInteger()) tensor.zero_point = shaped(at::tensor(grids.zero_points, at::kInt));
  if (tensor.format.type == NumberType::Ternary) tensor.threshold = shaped(at::tensor(grids.thresholds, at::kFloat));
}

}  // namespace

}  // namespace bitplan

namespace bitplan::quantize {

void CheckWeight(const at::Tensor& weight, int channel_axis) {
  if (!weight.defined() || !weight.is_floating_point()) throw Error("a weight must be a floating-point tensor");
  if (channel_axis < -weight.dim() || channel_axis >= weight.dim())
    throw Error(fmt::format("channel axis {} is not an axis of a weight with {} axes", channel_axis, weight.dim()));
  if (weight.numel() == 0) throw Error("a weight without elements cannot be quantized");
  if (!weight.isfinite().all().item<bool>())
    throw Error("a weight that holds NaN or an infinite value cannot be quantized");
}

std::int64_t ScaleCount(const at::Tensor& weight, const Format& format, int channel_axis) {
  if (format.granularity == Granularity::Tensor) return 1;
  const std::int64_t channels = weight.size(channel_axis);
  return PartsOf(format, channels, weight.numel()).count();
}

std::vector<QuantizedTensor> FindGrids(const at::Tensor& weight, const std::vector<Format>& formats, int channel_axis) {
  CheckWeight(weight, channel_axis);
  const at::NoGradGuard no_grad;
  std::vector<QuantizedTensor> grids;
  std::vector<Format> with_scales;
  for (const Format& format : formats) {
    format.Validate();
    if (format.HasScale() && format.calibrator == Calibrator::Dynamic)
      throw Error("calibrator: dynamic ranges are of activations; a weight has a fixed one");
    if (format.IsInteger() && format.scheme == Scheme::AutoSigned)
      throw Error("scheme: auto-signed is of activations; a weight's is symmetric, asymmetric or unsigned");
    QuantizedTensor& grid = grids.emplace_back();
    grid.format = format;
    grid.channel_axis = channel_axis < 0 ? channel_axis + static_cast<int>(weight.dim()) : channel_axis;
    if (format.HasScale()) with_scales.push_back(format);
  }
  if (with_scales.empty()) return grids;
  const at::Tensor values = weight.detach().to(at::kCPU, at::kFloat).movedim(channel_axis, 0).contiguous();
  const Parts parts = PartsOf(with_scales.front(), values.size(0), values.numel());
  std::vector<Grids> found =
      CalibrateParts({values.const_data_ptr<float>(), static_cast<std::size_t>(values.numel())}, parts, with_scales);
  auto next = found.begin();
  for (QuantizedTensor& grid : grids)
    if (grid.format.HasScale()) SetGrid(grid, std::move(*next++), parts.PerChannel(), weight.device());
  return grids;
}

}  // namespace bitplan::quantize

namespace bitplan {

namespace {

/// Codes and values of `result.value`, of as many channels at a time as keep what is in double precision small.
void PutChannels(const QuantizedTensor& grid, QuantizedTensor& result) {
  const at::Tensor weight = result.value;
  const std::int64_t channels = weight.size(grid.channel_axis);
  const std::int64_t step =
      std::clamp<std::int64_t>(quantize::tuning::kDoublesAtOnce * channels / weight.numel(), 1, channels);
  if (step == channels) {
    result.q = quantize::CodesOf(weight, grid).q;
    result.value = quantize::ValueOnGrid(result.q, result);
    return;
  }
  at::Tensor codes, values;
  for (std::int64_t first = 0; first < channels; first += step) {
    const std::int64_t count = std::min(step, channels - first);
    const QuantizedTensor of_part = quantize::RowsOf(grid, first, count);
    const at::Tensor q = quantize::CodesOf(weight.narrow(grid.channel_axis, first, count), of_part).q;
    if (!codes.defined()) {
      codes = at::empty(weight.sizes(), q.options());
      values = at::empty(weight.sizes(), weight.options());
    }
    codes.narrow(grid.channel_axis, first, count).copy_(q);
    values.narrow(grid.channel_axis, first, count).copy_(quantize::ValueOnGrid(q, of_part));
  }
  result.q = codes;
  result.value = result.outlier_values.defined()
                     ? values.index_copy_(1, grid.outlier_columns, result.outlier_values.to(at::kFloat))
                     : values;
}

}  // namespace

}  // namespace bitplan

namespace bitplan::quantize {

QuantizedTensor PutOnGrid(const at::Tensor& weight, const QuantizedTensor& grid) {
  const at::NoGradGuard no_grad;
  QuantizedTensor result = grid;
  result.value = weight.detach().to(at::kFloat);
  if (grid.format.type == NumberType::Float32) return result;
  if (!grid.format.HasScale()) {
    result.q = result.value.to(grid.format.type == NumberType::Float16 ? at::kHalf : at::kBFloat16);
    result.value = result.q.to(at::kFloat);
    if (!result.value.isfinite().all().item<bool>())
      throw Error(fmt::format("a weight beyond {:.6g}, the largest {}, does not fit 16 bits; keep it at 32",
                              grid.format.type == NumberType::Float16 ? 65504 : std::ldexp(255.0, 120),
                              ToString(grid.format.type)));
    return result;
  }
  if (grid.outlier_columns.defined()) {
    result.outlier_values = result.value.index_select(1, grid.outlier_columns).to(at::kHalf);
    if (!result.outlier_values.isfinite().all().item<bool>())
      throw Error("an outlier column holds a weight beyond 65504, the largest float16");
    result.value = result.value.index_fill(1, grid.outlier_columns, 0);
  }
  PutChannels(grid, result);
  return result;
}

}  // namespace bitplan::quantize

namespace bitplan {

QuantizedTensor QuantizeWeight(const at::Tensor& weight, const Format& format, int channel_axis) {
  return quantize::PutOnGrid(weight, quantize::FindGrids(weight, {format}, channel_axis).front());
}

}  // namespace bitplan
