#include "quantize/quantized_network.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <utility>

#include "bitplan/error.h"
#include "calibration_impl.h"
#include "corrections/outliers.h"
#include "corrections/rescaling.h"
#include "corrections/weight_rounder.h"
#include "process/memory_limit.h"
#include "quantize/grid_memory.h"
#include "quantize/plan_check.h"
#include "quantize/weight_grid.h"
#include "quantized_state.h"

namespace bitplan {

namespace {

constexpr const char* kStatisticsBeforeRescaling =
    "statistics: of layers' inputs before they are rescaled; leave them out, or leave off the rescaling";

at::Tensor Run(const Network& network, const QuantizedState& state, const std::vector<at::Tensor>& inputs,
               const std::vector<at::Tensor>& parameters) {
  quantize::QuantizingProbe probe(state);
  return network.Forward(inputs, parameters, state.inputs.empty() && state.shifts.empty() ? nullptr : &probe);
}

}  // namespace

QuantizedNetwork QuantizedNetwork::Create(const Network& network, const Plan& plan, const Dataset& calibration,
                                          const QuantizeOptions& options) {
  const Plan checked = quantize::PlanFor(network, plan);  // before the passes over the data
  const bool rescaled = checked.corrections.rescaling != Rescaling::None;
  if (rescaled && options.statistics) throw Error(kStatisticsBeforeRescaling);
  options.Validate();
  quantize::CheckRoundingFits(network, checked, options.memory_bytes);
  quantize::CheckGridsFit(network, checked, options.memory_bytes);
  if (!rescaled)
    return FromCalibration(network, checked,
                           Calibration::Collect(network, calibration, quantize::CalibratesInputs(checked), options));
  const PassLimits limits(options.batch_size, options.memory_bytes);
  const Network prepared = quantize::RescaleWithin(network, checked, calibration, limits);
  QuantizedState own;
  own.parameters = prepared.ParameterValues();
  QuantizeOptions beside = options;
  beside.memory_bytes = limits.Beside(quantize::OwnBytes(network, own)).memory_bytes;
  return FromCalibration(prepared, checked,
                         Calibration::Collect(prepared, calibration, quantize::CalibratesInputs(checked), beside));
}

QuantizedNetwork QuantizedNetwork::Create(const Network& network, const Plan& plan, const QuantizeOptions& options) {
  const Plan checked = quantize::PlanFor(network, plan);
  if (NeedsCalibration(checked, options))
    throw Error("the plan has ranges or corrections that are found on calibration data; give these");
  quantize::CheckGridsFit(network, checked, options.memory_bytes);
  const auto known = std::make_shared<Calibration::Impl>();
  known->activations = options.statistics;
  known->progress = options.progress;
  const bool rescales = checked.corrections.rescaling != Rescaling::None && quantize::QuantizesAnything(checked);
  if (rescales && options.statistics) throw Error(kStatisticsBeforeRescaling);
  return FromCalibration(rescales ? quantize::Equalize(network, checked) : network, checked, Calibration(known));
}

QuantizedNetwork QuantizedNetwork::Create(const Network& network, const Plan& plan, const Calibration& calibration) {
  if (plan.corrections.rescaling != Rescaling::None)
    throw Error("the plan rescales channels, which changes what layers read: it needs the calibration data themselves");
  const Plan checked = quantize::PlanFor(network, plan);
  quantize::CheckRoundingFits(network, checked, calibration.impl_->memory_bytes);
  quantize::CheckGridsFit(network, checked, calibration.impl_->memory_bytes);
  return FromCalibration(network, checked, calibration);
}

QuantizedNetwork QuantizedNetwork::FromCalibration(const Network& network, const Plan& plan,
                                                   const Calibration& calibration) {
  const at::NoGradGuard no_grad;
  const Calibration::Impl& known = *calibration.impl_;
  auto impl = std::make_shared<Impl>(Impl{network, plan, {}});
  const std::map<int, quantize::Outliers> outliers =
      plan.corrections.outlier_threshold == 0
          ? std::map<int, quantize::Outliers>()
          : quantize::FindOutliers(network, plan, known.inputs, known.SamplesAPass(network));
  impl->state = quantize::QuantizeWeights(network, plan, outliers, known.progress);
  if (!known.activations && quantize::CalibratesInputs(plan))
    throw Error("the plan quantizes layers' inputs, but the calibration was collected without activations");
  quantize::QuantizeInputs(network, plan, known.activations ? &*known.activations : nullptr, impl->state);
  quantize::KeepOutliers(network, outliers, impl->state);
  Report(known.progress, "corrections", 0, 1);
  known.FitOutputs(network, plan, impl->state);
  Report(known.progress, "corrections", 1, 1);
  return QuantizedNetwork(std::move(impl));
}

QuantizedNetwork QuantizedNetwork::FromState(const Network& network, const Plan& plan, QuantizedState state) {
  state.roundings.resize(network.layers().size());
  return QuantizedNetwork(std::make_shared<Impl>(Impl{network, plan, std::move(state)}));
}

QuantizedNetwork QuantizedNetwork::Corrected(OutputCorrection output, const Dataset& samples,
                                             std::int64_t memory_bytes) const {
  const at::NoGradGuard no_grad;
  const Network& network = impl_->network;
  auto impl = std::make_shared<Impl>(*impl_);
  QuantizedState& state = impl->state;
  impl->plan.corrections.output = output;
  state.weights = state.grids;
  state.gains.assign(state.grids.size(), {});
  state.shifts.clear();
  state.parameters = network.ParameterValues();
  for (std::size_t i = 0; i < network.layers().size(); ++i)
    state.parameters[static_cast<std::size_t>(network.layers()[i].weight)] = state.grids[i].value;
  Calibration::Impl known;
  known.memory_bytes = memory_bytes;
  known.TakeInputs(network, samples, samples.size());
  Plan nearest = impl->plan;  // what was rounded stays
  nearest.corrections = {};
  nearest.corrections.output = output;
  known.FitOutputs(network, nearest, state);
  return QuantizedNetwork(std::move(impl));
}

at::Tensor QuantizedNetwork::Forward(const std::vector<at::Tensor>& inputs) const {
  return Run(impl_->network, impl_->state, inputs, impl_->state.parameters);
}

at::Tensor QuantizedNetwork::Forward(const std::vector<at::Tensor>& inputs,
                                     const std::vector<at::Tensor>& weights) const {
  const QuantizedState& state = impl_->state;
  if (weights.size() != state.weights.size())
    throw Error(fmt::format("{} weights given for {} layers", weights.size(), state.weights.size()));
  std::vector<at::Tensor> parameters = state.parameters;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const Layer& layer = impl_->network.layers()[i];
    at::Tensor& parameter = parameters[static_cast<std::size_t>(layer.weight)];
    if (!weights[i].defined() || !weights[i].is_floating_point() || weights[i].sizes() != parameter.sizes())
      throw Error(fmt::format("layer '{}': expected a floating-point weight of shape [{}]", layer.name,
                              fmt::join(parameter.sizes(), ", ")));
    parameter =
        quantize::FakeQuantizeWeight(weights[i].to(parameter.device(), at::kFloat), state.grids[i], state.gains[i]);
  }
  return Run(impl_->network, state, inputs, parameters);
}

}  // namespace bitplan

namespace bitplan::quantize {

std::int64_t OwnBytes(const QuantizedNetwork& network) { return OwnBytes(network.network(), StateOf(network)); }

const QuantizedState& StateOf(const QuantizedNetwork& network) { return network.impl().state; }

}  // namespace bitplan::quantize

namespace bitplan {

const Network& QuantizedNetwork::network() const { return impl_->network; }
const Plan& QuantizedNetwork::plan() const { return impl_->plan; }
const std::vector<QuantizedTensor>& QuantizedNetwork::weights() const { return impl_->state.weights; }
const std::vector<LayerRounding>& QuantizedNetwork::roundings() const { return impl_->state.roundings; }
const std::vector<at::Tensor>& QuantizedNetwork::parameters() const { return impl_->state.parameters; }
const std::map<int, QuantizedInput>& QuantizedNetwork::inputs() const { return impl_->state.inputs; }
const std::map<int, at::Tensor>& QuantizedNetwork::shifts() const { return impl_->state.shifts; }

}  // namespace bitplan
