#include "quantize/corrections/channel_correction.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "bitplan/error.h"
#include "corrections/sample_passes.h"
#include "tuning.h"

namespace bitplan::quantize {

namespace {

class MomentRecorder : public Probe {
 public:
  explicit MomentRecorder(const CorrectionTargets& targets) : targets_(targets) {}

  at::Tensor Visit(int site, const at::Tensor& value) override {
    const CorrectionTarget* const target = targets_.Find(site, value);
    if (!target || !seen_.insert(target->layer).second) return value;
    const ChannelMoments more = MomentsOfChannels(value, target->channel_dim);
    const auto [found, first] = moments.try_emplace(static_cast<int>(target->layer), more);
    if (!first) found->second = Together(found->second, more);
    return value;
  }

  void StartPass() { seen_.clear(); }

  std::map<int, ChannelMoments> moments;

 private:
  const CorrectionTargets& targets_;
  std::set<std::size_t> seen_;  // layers whose first use has come by in this pass
};

bool AllUsesHaveOutputs(const Layer& layer) {
  return std::all_of(layer.uses.begin(), layer.uses.end(), [](const LayerUse& use) { return use.output_site >= 0; });
}

/// α goes into the weight's scales, so there must be one or more a channel that can take any value, and the bias that α
/// also multiplies must be the layer's own.
bool GainFolds(const Layer& layer, const Format& weight) {
  if (weight.HasScale() && (weight.granularity == Granularity::Tensor || weight.scale_type != ScaleType::Float32))
    return false;
  return layer.bias >= 0 || !layer.adds_shared_bias;
}

/// Where an error of the mean is what a few clipped values lost, not a shift of the channel: its deviation shrank much
/// more than the layer's other channels', and, since p of the values losing L each move the mean by pL and lower the
/// variance by about pL², shift² / lost variance, which is p, is small.
at::Tensor IsOfFewValues(const at::Tensor& shift, const at::Tensor& gain, const ChannelMoments& wanted,
                         const ChannelMoments& quantized) {
  const at::Tensor lost_variance = wanted.deviation.square() - quantized.deviation.square();
  return gain.gt(tuning::kMuchMoreThanOthers * gain.median())
      .logical_and(shift.square().lt(tuning::kShareOfFewValues * lost_variance));
}

}  // namespace

bool CorrectionTarget::Fits(const at::Tensor& output) const {
  return output.dim() >= -channel_dim && output.size(channel_dim) == channels && output.numel() > 0;
}

at::Tensor CorrectionTarget::Along(const at::Tensor& numbers) const {
  std::vector<std::int64_t> shape(static_cast<std::size_t>(-channel_dim), 1);
  shape[0] = channels;
  return numbers.view(shape);
}

std::optional<CorrectionTarget> FindTarget(const Network& network, std::size_t layer, const Format& weight) {
  const Layer& found = network.layers()[layer];
  if (!AllUsesHaveOutputs(found)) return std::nullopt;
  return CorrectionTarget{layer, found.uses.front().output_channel_dim, network.Weight(found).size(found.channel_axis),
                          GainFolds(found, weight)};
}

void CorrectionTargets::Add(const Network& network, const CorrectionTarget& target) {
  for (const LayerUse& use : network.layers()[target.layer].uses) of_site_[use.output_site] = all_.size();
  all_.push_back(target);
}

const CorrectionTarget* CorrectionTargets::Find(int site, const at::Tensor& value) const {
  const auto found = of_site_.find(site);
  if (found == of_site_.end()) return nullptr;
  const CorrectionTarget& target = all_[found->second];
  return target.Fits(value) ? &target : nullptr;
}

ChannelCorrection FitChannels(const Network& network, const CorrectionTarget& target, const ChannelMoments& wanted,
                              const ChannelMoments& quantized) {
  const at::Tensor constant = wanted.IsConstant().logical_or(quantized.IsConstant());
  const at::Tensor gain = at::where(constant, at::ones_like(wanted.mean), wanted.deviation / quantized.deviation);
  const at::Tensor alpha =
      (target.with_gain ? gain.clamp(tuning::kLeastGain, tuning::kMostGain) : at::ones_like(gain)).to(at::kFloat);
  at::Tensor beta = wanted.mean - alpha * quantized.mean;
  if (!target.with_gain) beta = beta.masked_fill(IsOfFewValues(beta, gain, wanted, quantized), 0);
  const ChannelCorrection correction{alpha, beta.to(at::kFloat)};
  if (!correction.alpha.isfinite().all().item<bool>() || !correction.beta.isfinite().all().item<bool>())
    throw Error(fmt::format("layer '{}': its output on the calibration samples is not finite",
                            network.layers()[target.layer].name));
  return correction;
}

std::map<int, ChannelMoments> FloatMoments(const Network& network, const std::vector<at::Tensor>& inputs,
                                           std::int64_t samples_a_pass) {
  const at::NoGradGuard no_grad;
  CorrectionTargets targets;
  for (std::size_t i = 0; i < network.layers().size(); ++i)
    if (const auto target = FindTarget(network, i, DefaultWeightFormat())) targets.Add(network, *target);
  if (targets.empty()) return {};
  MomentRecorder recorder(targets);
  for (const std::vector<at::Tensor>& part : InPasses(inputs, samples_a_pass)) {
    recorder.StartPass();
    network.Forward(part, network.ParameterValues(), &recorder);
  }
  return std::move(recorder.moments);
}

}  // namespace bitplan::quantize
