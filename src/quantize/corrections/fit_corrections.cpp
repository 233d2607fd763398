#include "corrections/fit_corrections.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "bitplan/error.h"
#include "corrections/layer_by_layer.h"
#include "corrections/sample_passes.h"
#include "corrections/weight_rounder.h"
#include "network/batch_norm.h"
#include "network/channel_expectations.h"
#include "quantize/corrections/channel_correction.h"

namespace bitplan::quantize {

namespace {

bool IsQuantized(const Layer& layer, const QuantizedTensor& weight, const QuantizedState& state) {
  return weight.format.HasScale() || std::any_of(layer.uses.begin(), layer.uses.end(), [&](const LayerUse& use) {
           const auto input = state.inputs.find(use.input_site);
           return input != state.inputs.end() && input->second.format.HasScale();
         });
}

/// Runs with the quantized network, fits each layer when its input and first output come by, and hands on the corrected
/// output.
class CorrectionFitter : public Probe {
 public:
  CorrectionFitter(const Network& network, const Corrections& corrections, const std::map<int, ChannelMoments>& wanted,
                   std::int64_t memory_bytes, const ProgressCallback& progress, QuantizedState& state)
      : network_(network),
        output_(corrections.output),
        wanted_(wanted),
        state_(state),
        quantizing_(state),
        rounder_(network, corrections.rounding, memory_bytes, progress, state) {
    if (output_ == OutputCorrection::BatchNorm) norms_ = network::FindBatchNorms(network.lowered());
    for (std::size_t i = 0; i < network.layers().size() && output_ != OutputCorrection::None; ++i) AddTarget(i);
  }

  bool HasTargets() const { return !targets_.empty(); }

  /// From here on runs are of some of the samples, and end where a layer is to be fitted.
  void FitInParts() { parts_.emplace(); }

  /// Fits the layer that the runs since the last call came to; false where they came to an end.
  bool FitReached() {
    if (!parts_->moments) return false;
    const auto layer = static_cast<int>(parts_->target.layer);
    fitted_.emplace(layer, FitChannels(network_, parts_->target, wanted_.at(layer), *parts_->moments));
    parts_.emplace();
    return true;
  }

  /// What batch norms tell of every layer, none of which is run. Left out are layers that have no bias of their own and
  /// whose weight is read in parts, as the parts' outputs would have to be seen.
  void FitWithoutData() {
    for (const CorrectionTarget& target : targets_.all()) {
      const Layer& layer = network_.layers()[target.layer];
      if (layer.bias < 0 && layer.uses.size() > 1) continue;
      if (const auto correction = FromBatchNorm(target.layer))
        fitted_.emplace(static_cast<int>(target.layer), *correction);
    }
  }

  at::Tensor Visit(int site, const at::Tensor& value) override {
    if (network_.sites()[static_cast<std::size_t>(site)].kind == Site::Kind::LayerInput) {
      const at::Tensor x = quantizing_.Visit(site, value);
      rounder_.Read(site, x);
      return x;
    }
    const auto change = rounder_.TakeChange(site);
    const at::Tensor y = change ? value + *change : value;
    const CorrectionTarget* const target = targets_.Find(site, y);
    if (!target) return quantizing_.Visit(site, y);
    const auto correction = Fit(*target, y);
    return correction ? y * target->Along(correction->alpha) + target->Along(correction->beta) : y;
  }

  /// Makes the corrections part of the state.
  void Fold() {
    if (output_ != OutputCorrection::BatchNorm) return FoldCorrection(network_, fitted_, state_);
    for (const auto& [layer, correction] : fitted_) {
      const network::BatchNorm& norm =
          norms_.at(network_.layers()[static_cast<std::size_t>(layer)].uses[0].output_site);
      at::Tensor &mean = state_.parameters[norm.mean], &variance = state_.parameters[norm.variance];
      mean = (mean - correction.beta) / correction.alpha;
      variance = ((variance + norm.epsilon) / correction.alpha.square() - norm.epsilon).clamp_min(0);
    }
  }

 private:
  void AddTarget(std::size_t layer) {
    const Layer& found = network_.layers()[layer];
    if (!IsQuantized(found, state_.weights[layer], state_)) return;
    auto target = FindTarget(network_, layer, state_.weights[layer].format);
    if (!target) return;
    if (output_ == OutputCorrection::BatchNorm &&
        (found.uses.size() != 1 || !norms_.contains(found.uses[0].output_site)))
      return;
    target->with_gain =
        output_ == OutputCorrection::BatchNorm || (output_ == OutputCorrection::Channel && target->with_gain);
    targets_.Add(network_, *target);
  }

  std::optional<ChannelCorrection> Fit(const CorrectionTarget& target, const at::Tensor& y) {
    const auto layer = static_cast<int>(target.layer);
    if (const auto found = fitted_.find(layer); found != fitted_.end()) return found->second;
    std::optional<ChannelCorrection> correction;
    if (output_ == OutputCorrection::BiasFromBatchNorm) {
      correction = FromBatchNorm(target.layer);
    } else if (const auto wanted = wanted_.find(layer); wanted != wanted_.end()) {
      const ChannelMoments moments = MomentsOfChannels(y, target.channel_dim);
      if (parts_) AddPart(target, moments);
      correction = FitChannels(network_, target, wanted->second, moments);
    }
    if (correction) fitted_.emplace(layer, *correction);
    return correction;
  }

  /// A run that comes to another layer than those before it has taken another way, and counts when that is fitted.
  [[noreturn]] void AddPart(const CorrectionTarget& target, const ChannelMoments& moments) {
    if (!parts_->moments)
      *parts_ = {target, moments};
    else if (parts_->target.layer == target.layer)
      parts_->moments = Together(*parts_->moments, moments);
    throw RunEnds();
  }

  /// −ΔW E[x] (Nagel et al. 2019, equation 16), as if no position were padded.
  std::optional<ChannelCorrection> FromBatchNorm(std::size_t layer) const {
    const Layer& found = network_.layers()[layer];
    const auto expected = network::ExpectedInput(network_, layer);
    const at::Tensor weight = network_.Weight(found);
    if (!expected || found.channel_axis != 0 || weight.dim() < 2 || found.op.starts_with("conv_transpose"))
      return std::nullopt;
    const std::int64_t groups = expected->numel() / weight.size(1);
    if (groups * weight.size(1) != expected->numel() || weight.size(0) % groups != 0) return std::nullopt;
    at::Tensor change = (state_.weights[layer].value - weight).to(at::kDouble).flatten(2 < weight.dim() ? 2 : 1);
    if (weight.dim() > 2) change = change.sum(-1);
    const at::Tensor shift =
        change.view({groups, -1, weight.size(1)}).matmul(expected->view({groups, -1, 1})).flatten();
    return ChannelCorrection{at::ones_like(shift, at::kFloat), (-shift).to(at::kFloat)};
  }

  const Network& network_;
  OutputCorrection output_;
  const std::map<int, ChannelMoments>& wanted_;
  QuantizedState& state_;
  QuantizingProbe quantizing_;
  WeightRounder rounder_;
  std::map<int, network::BatchNorm> norms_;
  CorrectionTargets targets_;
  std::map<int, ChannelCorrection> fitted_;

  /// What the runs of parts of the samples have come to.
  struct Parts {
    CorrectionTarget target;
    std::optional<ChannelMoments> moments;
  };
  std::optional<Parts> parts_;
};

}  // namespace

void FitCorrections(const Network& network, const Corrections& corrections, const std::map<int, ChannelMoments>& wanted,
                    const FittingSamples& samples, std::int64_t memory_bytes, const ProgressCallback& progress,
                    QuantizedState& state) {
  const at::NoGradGuard no_grad;
  CorrectionFitter fitter(network, corrections, wanted, memory_bytes, progress, state);
  if (corrections.output == OutputCorrection::BatchNorm && !fitter.HasTargets())
    throw Error(
        "output correction batch-norm: no batch norm follows a quantized layer; load the model with batch norm "
        "unfolded "
        "(--no-fold-batch-norm), or choose channel");
  if (!fitter.HasTargets() && corrections.rounding == Rounding::Nearest) return;
  if (samples.inputs.empty()) {
    fitter.FitWithoutData();
    return fitter.Fold();
  }
  const std::vector<at::Tensor> parameters = state.parameters;  // the run's own; rounding changes the state's
  const auto parts = InPasses(samples.inputs, samples.a_pass);
  if (parts.size() == 1) {
    network.Forward(parts.front(), parameters, &fitter);
  } else {
    fitter.FitInParts();
    RunLayerByLayer(network, parts, parameters, samples.kept_bytes, fitter, [&] { return fitter.FitReached(); });
  }
  fitter.Fold();
}

}  // namespace bitplan::quantize
