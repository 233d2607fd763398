#include "quantize/learned_grid.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "bitplan/error.h"
#include "quantize/weight_grid.h"

namespace bitplan::quantize {

namespace {

template <typename Number>
void CheckCount(const std::vector<Number>& numbers, std::int64_t expected, const char* what) {
  if (static_cast<std::int64_t>(numbers.size()) != expected)
    throw Error(
        fmt::format("learned {}: {} given, {} expected for this weight and format", what, numbers.size(), expected));
}

void CheckScales(const std::vector<double>& scales, ScaleType type) {
  for (const double scale : scales) {
    const auto number = static_cast<float>(scale);
    if (!(number > 0) || !std::isfinite(number))
      throw Error(fmt::format("learned scales: {} is not a positive float32", scale));
    int exponent = 0;
    if (type == ScaleType::PowerOfTwo && std::frexp(number, &exponent) != 0.5F)
      throw Error(fmt::format("learned scales: {} is not a power of two, which the format's scales are", scale));
  }
}

void CheckGrid(const Format& format, const LearnedGrid& learned, std::int64_t count) {
  if (!format.HasScale())
    throw Error(fmt::format("a learned grid needs a format with scales, not {}", ToString(format.type)));
  if (format.scale_type == ScaleType::DoubleQuantized)
    throw Error("learned scales cannot be double-quantized; use float32 or power-of-two");
  const bool ternary = format.type == NumberType::Ternary;
  CheckCount(learned.scales, count, "scales");
  CheckCount(learned.zero_points, format.HasZeroPoint() ? count : 0, "zero points");
  CheckCount(learned.thresholds, ternary ? count : 0, "thresholds");
  if (!learned.negative_scales.empty()) CheckCount(learned.negative_scales, ternary ? count : 0, "negative scales");
  CheckScales(learned.scales, format.scale_type);
  CheckScales(learned.negative_scales, format.scale_type);
  for (const std::int64_t zero : learned.zero_points)
    if (zero < format.QuantMin() || zero > format.QuantMax())
      throw Error(fmt::format("learned zero points: {} is outside the grid {} … {}", zero, format.QuantMin(),
                              format.QuantMax()));
}

}  // namespace

QuantizedTensor PutOnLearnedGrid(const at::Tensor& weight, const Format& format, int channel_axis,
                                 const LearnedGrid& learned) {
  CheckWeight(weight, channel_axis);
  format.Validate();
  QuantizedTensor grid;
  grid.format = format;
  grid.channel_axis = channel_axis < 0 ? channel_axis + static_cast<int>(weight.dim()) : channel_axis;
  const std::int64_t count = ScaleCount(weight, format, grid.channel_axis);
  CheckGrid(format, learned, count);
  const auto shaped = [&](const auto& numbers, at::ScalarType type) {
    const at::Tensor flat = at::tensor(numbers, at::device(at::kCPU)).to(weight.device(), type);
    return format.InGroups() ? flat.view({weight.size(grid.channel_axis), -1}) : flat;
  };
  grid.scale = shaped(learned.scales, at::kFloat);
  if (format.IsInteger())
    grid.zero_point =
        format.HasZeroPoint() ? shaped(learned.zero_points, at::kInt) : at::zeros_like(grid.scale, at::kInt);
  if (!learned.thresholds.empty()) grid.threshold = shaped(learned.thresholds, at::kFloat);
  if (!learned.negative_scales.empty()) grid.negative_scale = shaped(learned.negative_scales, at::kFloat);
  return PutOnGrid(weight, grid);
}

}  // namespace bitplan::quantize
