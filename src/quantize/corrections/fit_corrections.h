#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <vector>

#include "bitplan/corrections.h"
#include "bitplan/network.h"
#include "bitplan/progress.h"
#include "quantize/corrections/channel_moments.h"
#include "quantize/quantized_network.h"

namespace bitplan::quantize {

/// What is at hand for fitting: samples [N, …], and how many of them a pass takes at a time.
struct FittingSamples {
  const std::vector<at::Tensor>& inputs;
  std::int64_t a_pass = 1;
  std::int64_t kept_bytes = 0;  ///< what may be kept between the passes, where they don't take all samples
};

/// One pass of the quantized network over `inputs`, layer after layer, each on inputs that are corrected already:
/// weights are rounded anew on what their layer reads, then the channels of its output are corrected (a layer that is
/// used several times by its first use). `wanted`: FloatMoments of the same samples; `memory_bytes`: as QuantizeOptions
/// has it. Layers without a format with scales, or whose outputs are not the weight's channels, stay as they are. Where
/// a pass does not take all samples there is a series of passes for each layer, up to its output, from where the last
/// one's results could be kept, and weights are rounded on the samples of one pass. Without samples the correction that
/// needs none is made, from batch norms. Throws Error when an output is not finite, and when the statistics of batch
/// norms are to be corrected and none follows a quantized layer.
void FitCorrections(const Network& network, const Corrections& corrections, const std::map<int, ChannelMoments>& wanted,
                    const FittingSamples& samples, std::int64_t memory_bytes, const ProgressCallback& progress,
                    QuantizedState& state);

}  // namespace bitplan::quantize
