#include "quantize/channel_correction.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "bitplan/error.h"
#include "quantize/channel_moments.h"

namespace bitplan {

namespace {

/// Layers whose outputs are watched, found by output site; a layer's sites share one.
class Targets {
 public:
  void Add(const Network& network, std::size_t layer, const Format& weight) {
    const auto target = FindTarget(network, layer, weight);
    if (!target) return;
    for (const LayerUse& use : network.layers()[layer].uses) of_site_[use.output_site] = all_.size();
    all_.push_back(*target);
  }

  bool empty() const { return all_.empty(); }

  /// The target whose output `value` is, or null.
  const CorrectionTarget* Find(int site, const at::Tensor& value) const {
    const auto found = of_site_.find(site);
    if (found == of_site_.end()) return nullptr;
    const CorrectionTarget& target = all_[found->second];
    return target.Fits(value) ? &target : nullptr;
  }

 private:
  std::vector<CorrectionTarget> all_;
  std::map<int, std::size_t> of_site_;
};

class MomentRecorder : public Probe {
 public:
  explicit MomentRecorder(const Targets& targets) : targets_(targets) {}

  at::Tensor Visit(int site, const at::Tensor& value) override {
    const CorrectionTarget* const target = targets_.Find(site, value);
    if (target && !moments.contains(static_cast<int>(target->layer)))
      moments.emplace(static_cast<int>(target->layer), MomentsOfChannels(value, target->channel_dim));
    return value;
  }

  std::map<int, ChannelMoments> moments;

 private:
  const Targets& targets_;
};

/// Runs with the quantized network, fits each layer when its first output comes by, and hands on the corrected output.
class CorrectionFitter : public Probe {
 public:
  CorrectionFitter(const Network& network, const QuantizedState& state, const Targets& targets,
                   const std::map<int, ChannelMoments>& wanted)
      : network_(network), quantizing_(state), targets_(targets), wanted_(wanted) {}

  at::Tensor Visit(int site, const at::Tensor& value) override {
    const CorrectionTarget* const target = targets_.Find(site, value);
    const auto wanted = target ? wanted_.find(static_cast<int>(target->layer)) : wanted_.end();
    if (wanted == wanted_.end()) return quantizing_.Visit(site, value);
    auto found = corrections.find(wanted->first);
    if (found == corrections.end())
      found = corrections
                  .emplace(wanted->first, FitChannels(network_, *target, wanted->second,
                                                      MomentsOfChannels(value, target->channel_dim)))
                  .first;
    std::vector<std::int64_t> shape(static_cast<std::size_t>(-target->channel_dim), 1);
    shape[0] = target->channels;
    return value * found->second.alpha.view(shape) + found->second.beta.view(shape);
  }

  std::map<int, ChannelCorrection> corrections;

 private:
  const Network& network_;
  QuantizingProbe quantizing_;
  const Targets& targets_;
  const std::map<int, ChannelMoments>& wanted_;
};

bool AllUsesHaveOutputs(const Layer& layer) {
  return std::all_of(layer.uses.begin(), layer.uses.end(), [](const LayerUse& use) { return use.output_site >= 0; });
}

bool IsQuantized(const Layer& layer, const QuantizedTensor& weight, const QuantizedState& state) {
  return weight.format.HasScale() || std::any_of(layer.uses.begin(), layer.uses.end(), [&](const LayerUse& use) {
           const auto input = state.inputs.find(use.input_site);
           return input != state.inputs.end() && input->second.format.HasScale();
         });
}

/// α goes into the weight's scales, so there must be one or more a channel that can take any value, and the bias that α
/// also multiplies must be the layer's own.
bool GainFolds(const Layer& layer, const Format& weight) {
  if (weight.HasScale() && (weight.granularity == Granularity::Tensor || weight.scale_type != ScaleType::Float32))
    return false;
  return layer.bias >= 0 || !layer.adds_shared_bias;
}

}  // namespace

bool CorrectionTarget::Fits(const at::Tensor& output) const {
  return output.dim() >= -channel_dim && output.size(channel_dim) == channels && output.numel() > 0;
}

std::optional<CorrectionTarget> FindTarget(const Network& network, std::size_t layer, const Format& weight) {
  const Layer& found = network.layers()[layer];
  if (!AllUsesHaveOutputs(found)) return std::nullopt;
  return CorrectionTarget{layer, found.uses.front().output_channel_dim, network.Weight(found).size(found.channel_axis),
                          GainFolds(found, weight)};
}

ChannelCorrection FitChannels(const Network& network, const CorrectionTarget& target, const ChannelMoments& wanted,
                              const ChannelMoments& quantized) {
  at::Tensor alpha = at::ones_like(wanted.mean);
  if (target.with_gain) {
    const at::Tensor constant = wanted.IsConstant().logical_or(quantized.IsConstant());
    alpha = at::where(constant, alpha, (wanted.deviation / quantized.deviation).clamp(0.5, 2.0));
  }
  alpha = alpha.to(at::kFloat);
  ChannelCorrection correction{alpha, (wanted.mean - alpha * quantized.mean).to(at::kFloat)};
  if (!correction.alpha.isfinite().all().item<bool>() || !correction.beta.isfinite().all().item<bool>())
    throw Error(fmt::format("layer '{}': its output on the calibration samples is not finite",
                            network.layers()[target.layer].name));
  return correction;
}

std::map<int, ChannelMoments> FloatMoments(const Network& network, const std::vector<at::Tensor>& inputs) {
  const at::NoGradGuard no_grad;
  Targets targets;
  for (std::size_t i = 0; i < network.layers().size(); ++i) targets.Add(network, i, DefaultWeightFormat());
  if (targets.empty()) return {};
  MomentRecorder recorder(targets);
  network.Forward(inputs, network.ParameterValues(), &recorder);
  return std::move(recorder.moments);
}

std::map<int, ChannelCorrection> FitChannelCorrection(const Network& network, const QuantizedState& state,
                                                      const std::map<int, ChannelMoments>& wanted,
                                                      const std::vector<at::Tensor>& inputs) {
  const at::NoGradGuard no_grad;
  Targets targets;
  for (std::size_t i = 0; i < network.layers().size(); ++i)
    if (IsQuantized(network.layers()[i], state.weights[i], state)) targets.Add(network, i, state.weights[i].format);
  if (targets.empty()) return {};
  CorrectionFitter fitter(network, state, targets, wanted);
  network.Forward(inputs, state.parameters, &fitter);
  return std::move(fitter.corrections);
}

}  // namespace bitplan
