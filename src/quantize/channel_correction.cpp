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

/// A layer to be corrected, and what its output looks like in the float network.
struct Target {
  CorrectionTarget what;
  std::optional<ChannelMoments> float_moments;  // of the first visit
};

/// The targets, found by output site; a layer's sites share one.
class Targets {
 public:
  Targets(const Network& network, const QuantizedState& state) {
    for (std::size_t i = 0; i < network.layers().size(); ++i) {
      const Layer& layer = network.layers()[i];
      if (!IsQuantized(layer, state.weights[i], state)) continue;
      const auto target = FindTarget(network, i, state.weights[i].format);
      if (!target) continue;
      for (const LayerUse& use : layer.uses) of_site_[use.output_site] = all_.size();
      all_.push_back({*target, std::nullopt});
    }
  }

  bool empty() const { return all_.empty(); }

  /// The target whose output `value` is, or null.
  Target* Find(int site, const at::Tensor& value) {
    const auto found = of_site_.find(site);
    if (found == of_site_.end()) return nullptr;
    Target& target = all_[found->second];
    return target.what.Fits(value) ? &target : nullptr;
  }

 private:
  static bool IsQuantized(const Layer& layer, const QuantizedTensor& weight, const QuantizedState& state) {
    return weight.format.IsInteger() || std::any_of(layer.uses.begin(), layer.uses.end(), [&](const LayerUse& use) {
             const auto input = state.inputs.find(use.input_site);
             return input != state.inputs.end() && input->second.format.IsInteger();
           });
  }

  std::vector<Target> all_;
  std::map<int, std::size_t> of_site_;
};

class MomentRecorder : public Probe {
 public:
  explicit MomentRecorder(Targets& targets) : targets_(targets) {}

  at::Tensor Visit(int site, const at::Tensor& value) override {
    Target* const target = targets_.Find(site, value);
    if (target && !target->float_moments) target->float_moments = MomentsOfChannels(value, target->what.channel_dim);
    return value;
  }

 private:
  Targets& targets_;
};

/// Runs with the quantized network, fits each layer when its first output comes by, and hands on the corrected output.
class CorrectionFitter : public Probe {
 public:
  CorrectionFitter(const Network& network, const QuantizedState& state, Targets& targets)
      : network_(network), quantizing_(state), targets_(targets) {}

  at::Tensor Visit(int site, const at::Tensor& value) override {
    const Target* const target = targets_.Find(site, value);
    if (!target || !target->float_moments) return quantizing_.Visit(site, value);
    const CorrectionTarget& what = target->what;
    auto found = corrections.find(static_cast<int>(what.layer));
    if (found == corrections.end())
      found = corrections
                  .emplace(static_cast<int>(what.layer),
                           FitChannels(network_, what, *target->float_moments, MomentsOfChannels(value, what.channel_dim)))
                  .first;
    std::vector<std::int64_t> shape(static_cast<std::size_t>(-what.channel_dim), 1);
    shape[0] = what.channels;
    return value * found->second.alpha.view(shape) + found->second.beta.view(shape);
  }

  std::map<int, ChannelCorrection> corrections;

 private:
  const Network& network_;
  QuantizingProbe quantizing_;
  Targets& targets_;
};

bool AllUsesHaveOutputs(const Layer& layer) {
  return std::all_of(layer.uses.begin(), layer.uses.end(), [](const LayerUse& use) { return use.output_site >= 0; });
}

/// α goes into the weight's scales, so there must be one a channel, and the bias that α also multiplies must be the
/// layer's own.
bool GainFolds(const Layer& layer, const Format& weight) {
  if (weight.IsInteger() && weight.granularity == Granularity::Tensor) return false;
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
    throw Error(fmt::format("layer '{}': its output on the calibration samples is not finite", network.layers()[target.layer].name));
  return correction;
}

std::map<int, ChannelCorrection> FitChannelCorrection(const Network& network, const QuantizedState& state,
                                                      const std::vector<at::Tensor>& inputs) {
  const at::NoGradGuard no_grad;
  Targets targets(network, state);
  if (targets.empty()) return {};
  MomentRecorder float_network(targets);
  network.Forward(inputs, network.ParameterValues(), &float_network);
  CorrectionFitter fitter(network, state, targets);
  network.Forward(inputs, state.parameters, &fitter);
  return std::move(fitter.corrections);
}

}  // namespace bitplan
