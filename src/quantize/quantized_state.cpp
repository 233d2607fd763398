#include "quantized_state.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <vector>

#include "bitplan/error.h"
#include "quantize/corrections/channel_correction.h"
#include "quantize/learned_grid.h"
#include "quantize/plan_check.h"
#include "quantize/weight_grid.h"

namespace bitplan::quantize {

namespace {

QuantizedTensor Quantize(const at::Tensor& weight, const Layer& layer, const LayerPlan& planned,
                         const std::map<int, Outliers>& outliers) {
  if (planned.learned_weight)
    return PutOnLearnedGrid(weight, planned.weight, layer.channel_axis, *planned.learned_weight);
  const auto found = layer.uses.empty() ? outliers.end() : outliers.find(layer.uses.front().input_site);
  if (found != outliers.end()) return QuantizeBeside(found->second.columns, weight, planned.weight, layer.channel_axis);
  return QuantizeWeight(weight, planned.weight, layer.channel_axis);
}

/// Whether a range belongs to the format that is not found in each batch.
bool HasRange(const Format& format) { return format.HasScale() && format.calibrator != Calibrator::Dynamic; }

}  // namespace

QuantizedState QuantizeWeights(const Network& network, const Plan& plan, const std::map<int, Outliers>& outliers,
                               const ProgressCallback& progress) {
  QuantizedState state;
  state.parameters = network.ParameterValues();
  state.gains.resize(network.layers().size());
  state.roundings.resize(network.layers().size());
  const auto total = static_cast<std::int64_t>(network.layers().size());
  for (std::size_t i = 0; i < network.layers().size(); ++i) {
    Report(progress, "quantizing weights", static_cast<std::int64_t>(i), total);
    const Layer& layer = network.layers()[i];
    try {
      state.grids.push_back(Quantize(network.Weight(layer), layer, plan.layers[i], outliers));
    } catch (const Error& error) {
      throw Error(fmt::format("layer '{}': {}", layer.name, error.what()));
    }
    state.parameters[static_cast<std::size_t>(layer.weight)] = state.grids.back().value;
  }
  state.weights = state.grids;
  Report(progress, "quantizing weights", total, total);
  return state;
}

bool CalibratesInputs(const Plan& plan) {
  return std::any_of(plan.layers.begin(), plan.layers.end(),
                     [](const LayerPlan& layer) { return HasRange(layer.activation) && !layer.learned_input; }) ||
         std::any_of(plan.operands.begin(), plan.operands.end(),
                     [](const OperandPlan& operand) { return HasRange(operand.format) && !operand.learned; });
}

void QuantizeInputs(const Network& network, const Plan& plan, const ActivationStatistics* statistics,
                    QuantizedState& state) {
  const auto range = [&](int site, const Format& format, const std::optional<ActivationRange>& learned) {
    return learned ? *learned : HasRange(format) ? statistics->Range(site, format) : ActivationRange();
  };
  for (std::size_t i = 0; i < network.layers().size(); ++i) {
    const LayerPlan& planned = plan.layers[i];
    if (planned.activation.bits == 32) continue;
    for (const LayerUse& use : network.layers()[i].uses) {
      if (use.input_site < 0) continue;
      if (!planned.learned_input && statistics && !statistics->Has(use.input_site)) continue;  // never reached
      state.inputs.try_emplace(
          use.input_site,
          QuantizedInput{planned.activation, range(use.input_site, planned.activation, planned.learned_input)});
    }
  }
  for (const OperandPlan& operand : plan.operands) {
    const int site = OperandSite(network, operand.name);
    state.inputs.try_emplace(site, QuantizedInput{operand.format, range(site, operand.format, operand.learned)});
  }
}

void KeepOutliers(const Network& network, const std::map<int, Outliers>& outliers, QuantizedState& state) {
  for (std::size_t i = 0; i < network.layers().size(); ++i)
    for (const LayerUse& use : network.layers()[i].uses) {
      const auto found = outliers.find(use.input_site);
      if (found == outliers.end()) continue;
      QuantizedInput& input = state.inputs.at(use.input_site);
      input.range = found->second.range;
      input.outliers =
          at::zeros({network.Weight(network.layers()[i]).size(1)}, found->second.columns.options().dtype(at::kBool));
      input.outliers.index_fill_(0, found->second.columns, true);
    }
}

void FoldCorrection(const Network& network, const std::map<int, ChannelCorrection>& corrections,
                    QuantizedState& state) {
  for (const auto& [index, correction] : corrections) {
    const Layer& layer = network.layers()[static_cast<std::size_t>(index)];
    if (!correction.alpha.eq(1).all().item<bool>()) {
      QuantizedTensor& weight = state.weights[static_cast<std::size_t>(index)];
      weight = WithGain(weight, correction.alpha);
      state.gains[static_cast<std::size_t>(index)] = correction.alpha;
      state.parameters[static_cast<std::size_t>(layer.weight)] = weight.value;
    }
    if (layer.bias >= 0) {
      at::Tensor& bias = state.parameters[static_cast<std::size_t>(layer.bias)];
      bias = bias * correction.alpha + correction.beta;
      continue;
    }
    for (const LayerUse& use : layer.uses) {
      std::vector<std::int64_t> shape(static_cast<std::size_t>(-use.output_channel_dim), 1);
      shape[0] = correction.beta.numel();
      state.shifts[use.output_site] = correction.beta.view(shape);
    }
  }
}

std::int64_t OwnBytes(const Network& network, const QuantizedState& state) {
  std::set<const void*> counted;
  for (const Parameter& parameter : network.parameters())
    counted.insert(parameter.value.storage().unsafeGetStorageImpl());
  std::int64_t bytes = 0;
  const auto add = [&](const at::Tensor& tensor) {
    if (tensor.defined() && counted.insert(tensor.storage().unsafeGetStorageImpl()).second)
      bytes += static_cast<std::int64_t>(tensor.storage().nbytes());
  };
  for (const std::vector<QuantizedTensor>& tensors : {state.grids, state.weights})
    for (const QuantizedTensor& tensor : tensors)
      for (const at::Tensor& part : {tensor.value, tensor.q, tensor.scale, tensor.zero_point, tensor.threshold})
        add(part);
  for (const at::Tensor& parameter : state.parameters) add(parameter);
  return bytes;
}

at::Tensor QuantizingProbe::Visit(int site, const at::Tensor& value) {
  if (const auto found = state_.inputs.find(site); found != state_.inputs.end()) {
    const QuantizedInput& input = found->second;
    const at::Tensor quantized = FakeQuantize(value, input.format, input.range);
    return input.outliers.defined()
               ? at::where(input.outliers, FakeQuantize(value, input.format.WithBits(16), {}), quantized)
               : quantized;
  }
  if (const auto shift = state_.shifts.find(site); shift != state_.shifts.end()) return value + shift->second;
  return value;
}

}  // namespace bitplan::quantize
