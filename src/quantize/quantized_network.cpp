#include "quantize/quantized_network.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <utility>

#include "bitplan/error.h"
#include "bitplan/files.h"
#include "network/image_layout.h"
#include "process/memory_limit.h"
#include "quantize/corrections/channel_correction.h"
#include "quantize/corrections/fit_corrections.h"
#include "quantize/corrections/outliers.h"
#include "quantize/corrections/rescaling.h"
#include "quantize/corrections/sample_passes.h"
#include "quantize/corrections/weight_rounder.h"
#include "quantize/learned_grid.h"
#include "quantize/plan_check.h"
#include "quantize/torchscript_export.h"
#include "quantize/weight_grid.h"

namespace bitplan {

namespace {

QuantizedTensor Quantize(const at::Tensor& weight, const Layer& layer, const LayerPlan& planned,
                         const std::map<int, Outliers>& outliers) {
  if (planned.learned_weight)
    return PutOnLearnedGrid(weight, planned.weight, layer.channel_axis, *planned.learned_weight);
  const auto found = layer.uses.empty() ? outliers.end() : outliers.find(layer.uses.front().input_site);
  if (found != outliers.end()) return QuantizeBeside(found->second.columns, weight, planned.weight, layer.channel_axis);
  return QuantizeWeight(weight, planned.weight, layer.channel_axis);
}

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

/// Features that stay in float16, and the range of the rest.
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

constexpr const char* kStatisticsBeforeRescaling =
    "statistics: of layers' inputs before they are rescaled; leave them out, or leave off the rescaling";

std::int64_t BytesOf(const std::vector<at::Tensor>& tensors) {
  std::int64_t bytes = 0;
  for (const at::Tensor& tensor : tensors) bytes += static_cast<std::int64_t>(tensor.nbytes());
  return bytes;
}

/// What rounding keeps of all layers, the changes of their weights, and makes of the largest beside its second moments.
std::int64_t RoundedBytes(const Network& network) {
  constexpr std::int64_t kChange = 4, kInTheMaking = 16;
  std::int64_t all = 0, largest = 0;
  for (const Layer& layer : network.layers()) {
    all += network.Weight(layer).numel();
    largest = std::max(largest, network.Weight(layer).numel());
  }
  return kChange * all + kInTheMaking * largest;
}

/// In the layout that the network is fastest on, a few at a time, so that nothing is held twice. Throws MemoryShort
/// where they do not fit.
std::vector<at::Tensor> FirstInputs(const Network& network, const Dataset& data, std::int64_t samples,
                                    std::int64_t memory_bytes) {
  constexpr std::int64_t kAtOnce = 8;
  const at::Device device(network.device());
  const std::vector<at::Tensor> one = data.Get(0, 1, device).inputs;
  CheckOneSampleFits(samples * BytesOf(one), memory_bytes, fmt::format("the batch of {} calibration samples", samples));
  const ImageLayout layout(network, one);
  std::vector<at::Tensor> all;
  for (std::int64_t begin = 0; begin < samples; begin += kAtOnce) {
    const std::int64_t count = std::min(kAtOnce, samples - begin);
    const std::vector<at::Tensor> some = layout(data.Get(begin, begin + count, device).inputs);
    for (std::size_t i = 0; i < some.size(); ++i) {
      if (begin == 0) {
        std::vector<std::int64_t> shape = some[i].sizes().vec();
        shape[0] = samples;
        all.push_back(at::empty(shape, some[i].options(), some[i].suggest_memory_format()));
      }
      all[i].narrow(0, begin, count).copy_(some[i]);
    }
  }
  return all;
}

/// Whether a range belongs to the format that is not found in each batch.
bool HasRange(const Format& format) { return format.HasScale() && format.calibrator != Calibrator::Dynamic; }

/// Whether the range of some input or operand is to be found.
bool CalibratesInputs(const Plan& plan) {
  return std::any_of(plan.layers.begin(), plan.layers.end(),
                     [](const LayerPlan& layer) { return HasRange(layer.activation) && !layer.learned_input; }) ||
         std::any_of(plan.operands.begin(), plan.operands.end(),
                     [](const OperandPlan& operand) { return HasRange(operand.format) && !operand.learned; });
}

bool QuantizesAnything(const Plan& plan) {
  return std::any_of(plan.layers.begin(), plan.layers.end(),
                     [](const LayerPlan& layer) { return layer.weight.HasScale() || layer.activation.HasScale(); });
}

/// `statistics`: null where the plan knows all ranges that there are.
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

at::Tensor Run(const Network& network, const QuantizedState& state, const std::vector<at::Tensor>& inputs,
               const std::vector<at::Tensor>& parameters) {
  QuantizingProbe probe(state);
  return network.Forward(inputs, parameters, state.inputs.empty() && state.shifts.empty() ? nullptr : &probe);
}

}  // namespace

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
  for (const Parameter& parameter : network.parameters()) counted.insert(parameter.value.storage().unsafeGetStorageImpl());
  std::int64_t bytes = 0;
  const auto add = [&](const at::Tensor& tensor) {
    if (tensor.defined() && counted.insert(tensor.storage().unsafeGetStorageImpl()).second)
      bytes += static_cast<std::int64_t>(tensor.storage().nbytes());
  };
  for (const std::vector<QuantizedTensor>& tensors : {state.grids, state.weights})
    for (const QuantizedTensor& tensor : tensors)
      for (const at::Tensor& part : {tensor.value, tensor.q, tensor.scale, tensor.zero_point, tensor.threshold}) add(part);
  for (const at::Tensor& parameter : state.parameters) add(parameter);
  return bytes;
}

std::int64_t OwnBytes(const QuantizedNetwork& network) { return OwnBytes(network.network(), StateOf(network)); }

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

void QuantizeOptions::Validate() const {
  if (batch_size < 1) throw Error(fmt::format("batch size: {} given, at least 1 needed", batch_size));
  if (correction_samples < 2)
    throw Error(fmt::format("correction samples: {} given, at least 2 needed", correction_samples));
  if (memory_bytes <= 0) throw Error(fmt::format("memory_bytes is {}, must be above 0", memory_bytes));
}

bool NeedsCalibration(const Plan& plan, const QuantizeOptions& options) {
  if (CalibratesInputs(plan) && !options.statistics) return true;
  const Corrections& corrections = plan.corrections;
  const bool rescales_by_data =
      corrections.rescaling == Rescaling::SmoothQuant || corrections.rescaling == Rescaling::ActivationAware;
  return QuantizesAnything(plan) && (corrections.FitsOutputs() || rescales_by_data ||
                                     corrections.rounding != Rounding::Nearest || corrections.outlier_threshold > 0);
}

struct Calibration::Impl {
  std::optional<ActivationStatistics> activations;
  std::vector<at::Tensor> inputs;  // what the correction is fitted on
  std::int64_t memory_bytes = QuantizeOptions().memory_bytes;
  ProgressCallback progress;

  /// Of the float network on the inputs; found when a plan first needs them.
  const std::map<int, ChannelMoments>& Moments(const Network& network) const {
    std::call_once(found_, [&] { moments_ = FloatMoments(network, inputs, SamplesAPass(network)); });
    return moments_;
  }

  /// Of passes of the float network over the inputs, and of those that corrections are fitted in.
  std::int64_t SamplesAPass(const Network& network) const {
    return bitplan::SamplesAPass(Samples(), memory_bytes, BytesOf(inputs), [&](std::int64_t count) {
      FloatMoments(network, FirstSamples(inputs, count), count);
    });
  }
  /// How corrections and roundings are fitted within the memory limit.
  struct Fit {
    std::int64_t a_pass = 1;        // samples
    std::int64_t for_rounding = 1;  // bytes, beside those of a pass
  };
  Fit FitWithin(const Network& network, const Plan& plan, const std::map<int, ChannelMoments>& wanted,
                const QuantizedState& state) const {
    if (inputs.empty()) return {1, memory_bytes};
    Corrections nearest = plan.corrections;
    nearest.rounding = Rounding::Nearest;
    const auto fit = [&](std::int64_t count) {
      QuantizedState trial = state;
      FitCorrections(network, nearest, wanted, {FirstSamples(inputs, count), count}, memory_bytes, {}, trial);
    };
    const std::int64_t held = BytesOf(inputs) + OwnBytes(network, state);
    if (plan.corrections.rounding == Rounding::Nearest) {
      const std::int64_t most = bitplan::SamplesAPass(Samples(), memory_bytes, held, fit, memory_bytes);
      // More of them bring nothing unless they are all.
      return {most == Samples() ? most : bitplan::SamplesAPass(most, memory_bytes, held, fit), 1};
    }
    // Rounding sees the samples of one pass alone, and the second moments of what it reads are as large as they are.
    const std::int64_t with_rounded = held + RoundedBytes(network);
    const std::int64_t half = (PlannedBytes(memory_bytes) - with_rounded) / 2;
    const std::int64_t a_pass = bitplan::SamplesAPass(Samples(), memory_bytes, with_rounded, fit, half);
    const std::int64_t left = PlannedBytes(memory_bytes) - with_rounded - PeakBytes([&] { fit(a_pass); });
    return {a_pass, std::max<std::int64_t>(1, left)};
  }

  /// The output correction and the rounding of `plan`.
  void FitOutputs(const Network& network, const Plan& plan, QuantizedState& state) const {
    static const std::map<int, ChannelMoments> kNone;
    const bool by_moments = plan.corrections.FitsOutputs() && QuantizesAnything(plan);
    const std::map<int, ChannelMoments>& wanted = by_moments ? Moments(network) : kNone;
    const Fit fit = FitWithin(network, plan, wanted, state);
    FitCorrections(network, plan.corrections, wanted, {inputs, fit.a_pass}, fit.for_rounding, progress, state);
  }

 private:
  std::int64_t Samples() const { return inputs.front().size(0); }

  mutable std::once_flag found_;
  mutable std::map<int, ChannelMoments> moments_;
};

Calibration Calibration::Collect(const Network& network, const Dataset& data, bool activations,
                                 const QuantizeOptions& options) {
  options.Validate();
  const auto impl = std::make_shared<Impl>();
  if (activations && options.statistics) impl->activations = options.statistics;
  if (activations && !options.statistics)
    impl->activations = ActivationStatistics::Collect(network, data, {options.batch_size, options.memory_bytes},
                                                      options.progress);
  const std::int64_t samples = std::min(options.correction_samples, data.size());
  impl->inputs = FirstInputs(network, data, samples, options.memory_bytes);
  impl->memory_bytes = options.memory_bytes;
  impl->progress = options.progress;
  return Calibration(impl);
}

QuantizedNetwork QuantizedNetwork::Create(const Network& network, const Plan& plan, const Dataset& calibration,
                                          const QuantizeOptions& options) {
  const Plan checked = PlanFor(network, plan);  // before the passes over the data
  const bool rescaled = checked.corrections.rescaling != Rescaling::None;
  if (rescaled && options.statistics)
    throw Error(kStatisticsBeforeRescaling);
  options.Validate();
  CheckRoundingFits(network, checked, options.memory_bytes);
  if (!rescaled)
    return FromCalibration(network, checked,
                           Calibration::Collect(network, calibration, CalibratesInputs(checked), options));
  const PassLimits limits(options.batch_size, options.memory_bytes);
  const Network prepared = RescaleWithin(network, checked, calibration, limits);
  QuantizedState own;
  own.parameters = prepared.ParameterValues();
  QuantizeOptions beside = options;
  beside.memory_bytes = limits.Beside(OwnBytes(network, own)).memory_bytes;
  return FromCalibration(prepared, checked,
                         Calibration::Collect(prepared, calibration, CalibratesInputs(checked), beside));
}

QuantizedNetwork QuantizedNetwork::Create(const Network& network, const Plan& plan, const QuantizeOptions& options) {
  const Plan checked = PlanFor(network, plan);
  if (NeedsCalibration(checked, options))
    throw Error("the plan has ranges or corrections that are found on calibration data; give these");
  const auto known = std::make_shared<Calibration::Impl>();
  known->activations = options.statistics;
  known->progress = options.progress;
  const bool rescales = checked.corrections.rescaling != Rescaling::None && QuantizesAnything(checked);
  if (rescales && options.statistics) throw Error(kStatisticsBeforeRescaling);
  return FromCalibration(rescales ? Equalize(network, checked) : network, checked, Calibration(known));
}

QuantizedNetwork QuantizedNetwork::Create(const Network& network, const Plan& plan, const Calibration& calibration) {
  if (plan.corrections.rescaling != Rescaling::None)
    throw Error("the plan rescales channels, which changes what layers read: it needs the calibration data themselves");
  const Plan checked = PlanFor(network, plan);
  CheckRoundingFits(network, checked, calibration.impl_->memory_bytes);
  return FromCalibration(network, checked, calibration);
}

QuantizedNetwork QuantizedNetwork::FromCalibration(const Network& network, const Plan& plan,
                                                   const Calibration& calibration) {
  const at::NoGradGuard no_grad;
  const Calibration::Impl& known = *calibration.impl_;
  auto impl = std::make_shared<Impl>(Impl{network, plan, {}});
  const std::map<int, Outliers> outliers =
      plan.corrections.outlier_threshold == 0
          ? std::map<int, Outliers>()
          : FindOutliers(network, plan, known.inputs, known.SamplesAPass(network));
  impl->state = QuantizeWeights(network, plan, outliers, known.progress);
  if (!known.activations && CalibratesInputs(plan))
    throw Error("the plan quantizes layers' inputs, but the calibration was collected without activations");
  QuantizeInputs(network, plan, known.activations ? &*known.activations : nullptr, impl->state);
  KeepOutliers(network, outliers, impl->state);
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
  known.inputs = FirstInputs(network, samples, samples.size(), memory_bytes);
  known.memory_bytes = memory_bytes;
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
    parameter = FakeQuantizeWeight(weights[i].to(parameter.device(), at::kFloat), state.grids[i], state.gains[i]);
  }
  return Run(impl_->network, state, inputs, parameters);
}

const QuantizedState& StateOf(const QuantizedNetwork& network) { return network.impl_->state; }

const Network& QuantizedNetwork::network() const { return impl_->network; }
const Plan& QuantizedNetwork::plan() const { return impl_->plan; }
const std::vector<QuantizedTensor>& QuantizedNetwork::weights() const { return impl_->state.weights; }
const std::vector<LayerRounding>& QuantizedNetwork::roundings() const { return impl_->state.roundings; }

void QuantizedNetwork::Save(const std::filesystem::path& file) const {
  WriteFile(file, ExportTorchScript(impl_->network, impl_->state, ToJson(impl_->plan)));
}

}  // namespace bitplan
