#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <vector>

#include "bitplan/network.h"
#include "quantize/quantized_network.h"

namespace bitplan {

/// y ← α y + β per output channel of one layer.
struct ChannelCorrection {
  at::Tensor alpha, beta;  ///< float32 [channels]
};

/// Restores each output channel's mean and standard deviation to the float network's on the same samples (design.md,
/// section 8): α = σ_float / σ, clamped to [½, 2], β = μ_float − α μ. Fitted in one pass of the quantized network,
/// layer after layer, each on inputs that are corrected already; a layer that is used several times by its first use.
/// α is 1 where the weight has one scale in all, or adds a bias that other layers share, and for channels that are
/// constant. By layer; layers without an integer format, or whose outputs are not the weight's channels, have none.
/// Throws Error when an output is not finite.
std::map<int, ChannelCorrection> FitChannelCorrection(const Network& network, const QuantizedState& state,
                                                      const std::vector<at::Tensor>& inputs);

}  // namespace bitplan
