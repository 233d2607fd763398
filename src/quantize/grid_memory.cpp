#include "quantize/grid_memory.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <vector>

#include "calibration/range.h"
#include "process/memory_limit.h"

namespace bitplan::quantize {

namespace {

constexpr std::int64_t kFloat = 4, kCode = 1;  // bytes

/// Of each value that shares a scale with others.
std::int64_t BytesOfValue(const Format& format) {
  const bool by_mean = format.type == NumberType::Binary || format.type == NumberType::Ternary;
  return by_mean ? 0 : calibration::BytesOfValue(format);
}

/// How many values share a scale, at the most.
std::int64_t ValuesOfScale(const at::Tensor& weight, const Format& format, int channel_axis) {
  if (format.granularity == Granularity::Tensor) return weight.numel();
  const std::int64_t of_channel = weight.numel() / std::max<std::int64_t>(1, weight.size(channel_axis));
  return format.InGroups() ? std::min<std::int64_t>(format.group_size, of_channel) : of_channel;
}

/// What finding a layer's scales takes beside the weights that are quantized by then.
struct Need {
  const Layer* layer = nullptr;
  std::int64_t weights = 0, bytes = 0;
};

/// The most that any layer needs, so that a refusal names what does for all.
void CheckFits(const std::vector<Need>& needs, std::int64_t memory_bytes) {
  const auto most =
      std::max_element(needs.begin(), needs.end(), [](const Need& a, const Need& b) { return a.bytes < b.bytes; });
  if (most == needs.end()) return;
  process::CheckOneSampleFits(
      most->bytes, memory_bytes,
      fmt::format("finding the scales of layer '{}', with {} weights, beside what is quantized by then",
                  most->layer->name, most->weights));
}

}  // namespace

std::int64_t GridSearchBytes(const at::Tensor& weight, const std::vector<Format>& formats, int channel_axis) {
  std::int64_t most = 0;
  for (const Format& format : formats) {
    if (!format.HasScale()) continue;
    const std::int64_t values = ValuesOfScale(weight, format, channel_axis);
    const std::int64_t at_once = std::min<std::int64_t>(values * at::get_num_threads(), weight.numel());
    most = std::max(most, at_once * BytesOfValue(format));
  }
  const bool copied = channel_axis != 0 || weight.scalar_type() != at::kFloat || !weight.is_cpu();
  return most + (copied ? weight.numel() * kFloat : 0);
}

void CheckGridsFit(const Network& network, const Plan& plan, std::int64_t memory_bytes) {
  std::vector<Need> needs;
  std::int64_t held = 0;
  // A correction of channels scales the weights that were quantized, beside them.
  const std::int64_t of_weight = kFloat + kCode + (plan.corrections.FitsOutputs() ? kFloat : 0);
  for (std::size_t i = 0; i < network.layers().size(); ++i) {
    const Layer& layer = network.layers()[i];
    const LayerPlan& planned = plan.layers[i];
    const at::Tensor weight = network.Weight(layer);
    const std::int64_t search =
        planned.learned_weight ? 0 : GridSearchBytes(weight, {planned.weight}, layer.channel_axis);
    if (search > 0) needs.push_back({&layer, weight.numel(), held + search});
    if (planned.weight.bits < 32) held += weight.numel() * of_weight;
  }
  if (!needs.empty()) needs.push_back({needs.back().layer, needs.back().weights, held});
  CheckFits(needs, memory_bytes);
}

void CheckGridsFit(const Network& network, const std::vector<Format>& formats, std::int64_t memory_bytes) {
  std::vector<Need> needs;
  for (const Layer& layer : network.layers()) {
    const at::Tensor weight = network.Weight(layer);
    const std::int64_t search = GridSearchBytes(weight, formats, layer.channel_axis);
    if (search > 0) needs.push_back({&layer, weight.numel(), search});
  }
  CheckFits(needs, memory_bytes);
}

}  // namespace bitplan::quantize
