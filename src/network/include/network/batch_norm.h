#pragma once

#include <map>
#include <optional>

#include "network/lowered_graph.h"

namespace bitplan::network {

/// Folds every batch norm in eval mode that reads nothing but one convolution or linear layer's result into that layer
/// (Jacob et al., CVPR 2018, section 3.2): W ← W γ/√(σ² + ε), b ← (b − μ) γ/√(σ² + ε) + β. The rest stays.
void FoldBatchNorm(LoweredGraph& lowered);

/// A batch norm in eval mode with statistics of its own.
struct BatchNorm {
  std::size_t mean = 0, variance = 0;        ///< parameters
  std::optional<std::size_t> scale, offset;  ///< parameters γ and β; nothing where it has none
  double epsilon = 0;
  double momentum =
      0;  ///< share of a batch's statistics in the running ones; 0 where the model averaged over all batches
};

/// `scale`, one number per output channel, in a shape that multiplies the weight; `axis` is the weight's axis of
/// channels. Differentiable.
at::Tensor WeightScale(const at::Tensor& weight, const at::Tensor& scale, std::int64_t axis);

/// The batch norms that read the output of a layer's only operator and nothing else does, by that output's site.
std::map<int, BatchNorm> FindBatchNorms(const LoweredGraph& lowered);

}  // namespace bitplan::network
