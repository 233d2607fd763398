#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "bitplan/format.h"
#include "bitplan/network.h"
#include "quantize/corrections/channel_moments.h"

namespace bitplan::quantize {

/// y ← α y + β per output channel of one layer.
struct ChannelCorrection {
  at::Tensor alpha, beta;  ///< float32 [channels]
};

/// What is corrected of a layer: the channels of its output, by a gain where one can be folded into its weight.
struct CorrectionTarget {
  std::size_t layer = 0;
  int channel_dim = -1;  ///< of the output, from the back
  std::int64_t channels = 0;
  bool with_gain = false;

  /// Whether `output` has the weight's channels. The weight of a grouped transposed convolution, or a slice of one, has
  /// another number of channels than the output has, and is left alone.
  bool Fits(const at::Tensor& output) const;

  /// A number a channel, in a shape that broadcasts over the output.
  at::Tensor Along(const at::Tensor& numbers) const;
};

/// Nothing where some use's output is not the weight's channels. `weight`: the format that the layer's weight gets.
std::optional<CorrectionTarget> FindTarget(const Network& network, std::size_t layer, const Format& weight);

/// Layers whose outputs are watched, found by output site; a layer's sites share one target.
class CorrectionTargets {
 public:
  void Add(const Network& network, const CorrectionTarget& target);

  bool empty() const { return all_.empty(); }
  const std::vector<CorrectionTarget>& all() const { return all_; }

  /// The target whose output `value` is, or null.
  const CorrectionTarget* Find(int site, const at::Tensor& value) const;

 private:
  std::vector<CorrectionTarget> all_;
  std::map<int, std::size_t> of_site_;
};

/// Restores each output channel's mean and standard deviation to the float network's on the same samples (Quantizers in
/// docs/architecture.md): α = σ_float / σ, clamped to [½, 2], β = μ_float − α μ. α stays 1 without a gain and where the
/// channel is constant in one of the networks. Without a gain β is 0 where the mean moved because a few large values
/// were clipped, and not by what most values are off: σ_float / σ is more than twice the median over the layer's
/// channels, and (μ_float − μ)² below 1/16 of σ_float² − σ². Throws Error when it is not finite.
ChannelCorrection FitChannels(const Network& network, const CorrectionTarget& target, const ChannelMoments& wanted,
                              const ChannelMoments& quantized);

/// Moments of each layer's output channels in the float network, by layer: of its first use, and only where it can be
/// corrected. Passes take so many samples at a time.
std::map<int, ChannelMoments> FloatMoments(const Network& network, const std::vector<at::Tensor>& inputs,
                                           std::int64_t samples_a_pass);

}  // namespace bitplan::quantize
