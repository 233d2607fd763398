#include "quantize/channel_correction.h"

#include <ATen/ATen.h>

#include <utility>

namespace bitplan {

namespace {

struct ChannelMoments {
  at::Tensor mean, deviation;  // float64 [channels]
};

ChannelMoments MomentsOf(const at::Tensor& output, int channel_dim) {
  const at::Tensor rows = output.detach().movedim(channel_dim, 0).flatten(1).to(at::kDouble);
  return {rows.mean(1), rows.std(1, /*unbiased=*/false)};
}

/// The first use of each layer whose outputs are to be corrected, by site.
std::map<int, std::pair<int, int>> SitesToCorrect(const Network& network, const QuantizedState& state) {
  std::map<int, std::pair<int, int>> layer_and_dim;
  for (std::size_t i = 0; i < network.layers().size(); ++i) {
    const Layer& layer = network.layers()[i];
    const bool integer_input = state.inputs.contains(layer.uses[0].input_site);
    if (!state.weights[i].format.IsInteger() && !integer_input) continue;
    for (const LayerUse& use : layer.uses)
      if (use.output_site >= 0) layer_and_dim[use.output_site] = {static_cast<int>(i), use.output_channel_dim};
  }
  return layer_and_dim;
}

/// Moments of the float network's outputs, of each layer's first visit.
class MomentRecorder : public Probe {
 public:
  explicit MomentRecorder(const std::map<int, std::pair<int, int>>& sites) : sites_(sites) {}

  at::Tensor Visit(int site, const at::Tensor& value) override {
    const auto found = sites_.find(site);
    if (found != sites_.end() && !moments.contains(found->second.first))
      moments[found->second.first] = MomentsOf(value, found->second.second);
    return value;
  }

  std::map<int, ChannelMoments> moments;

 private:
  const std::map<int, std::pair<int, int>>& sites_;
};

/// Runs with the quantized network, fits each layer when its first output comes by, and hands on the corrected output.
class CorrectionFitter : public Probe {
 public:
  CorrectionFitter(const Network& network, const QuantizedState& state, const std::map<int, std::pair<int, int>>& sites,
                   const std::map<int, ChannelMoments>& targets)
      : network_(network), state_(state), quantizing_(state), sites_(sites), targets_(targets) {}

  at::Tensor Visit(int site, const at::Tensor& value) override {
    const at::Tensor output = quantizing_.Visit(site, value);
    const auto found = sites_.find(site);
    if (found == sites_.end()) return output;
    const auto [layer, dim] = found->second;
    const std::int64_t channels = output.size(dim);
    if (channels != network_.Weight(network_.layers()[static_cast<std::size_t>(layer)])
                        .size(network_.layers()[static_cast<std::size_t>(layer)].channel_axis))
      return output;
    auto correction = corrections.find(layer);
    if (correction == corrections.end()) correction = corrections.emplace(layer, Fit(layer, output, dim)).first;
    std::vector<std::int64_t> shape(static_cast<std::size_t>(-dim), 1);
    shape[0] = channels;
    return output * correction->second.alpha.view(shape) + correction->second.beta.view(shape);
  }

  std::map<int, ChannelCorrection> corrections;

 private:
  ChannelCorrection Fit(int layer, const at::Tensor& output, int dim) const {
    const ChannelMoments& target = targets_.at(layer);
    const ChannelMoments moments = MomentsOf(output, dim);
    at::Tensor alpha = at::ones_like(moments.mean);
    if (MayScale(layer)) {
      const at::Tensor known = (moments.deviation > 0).logical_and(target.deviation > 0);
      alpha = at::where(known, (target.deviation / moments.deviation).clamp(0.5, 2.0), alpha);
    }
    const at::Tensor beta = target.mean - alpha * moments.mean;
    return {alpha.to(at::kFloat), beta.to(at::kFloat)};
  }

  /// α goes into the weight's scales, so there must be one a channel, and the bias that α also multiplies must be the layer's own.
  bool MayScale(int layer) const {
    const Layer& which = network_.layers()[static_cast<std::size_t>(layer)];
    const Format& format = state_.weights[static_cast<std::size_t>(layer)].format;
    return format.granularity == Granularity::Channel && (which.bias >= 0 || !which.adds_shared_bias);
  }

  const Network& network_;
  const QuantizedState& state_;
  QuantizingProbe quantizing_;
  const std::map<int, std::pair<int, int>>& sites_;
  const std::map<int, ChannelMoments>& targets_;
};

}  // namespace

std::map<int, ChannelCorrection> FitChannelCorrection(const Network& network, const QuantizedState& state,
                                                      const std::vector<at::Tensor>& inputs) {
  const at::NoGradGuard no_grad;
  const auto sites = SitesToCorrect(network, state);
  MomentRecorder float_network(sites);
  network.Forward(inputs, network.ParameterValues(), &float_network);
  CorrectionFitter fitter(network, state, sites, float_network.moments);
  network.Forward(inputs, state.parameters, &fitter);
  return std::move(fitter.corrections);
}

}  // namespace bitplan
