#pragma once

#include <map>

#include "network/lowered_graph.h"

namespace bitplan {

/// Folds every batch norm in eval mode that reads nothing but one convolution or linear layer's result into that layer
/// (Jacob et al., CVPR 2018, section 3.2): W ← W γ/√(σ² + ε), b ← (b − μ) γ/√(σ² + ε) + β. The rest stays.
void FoldBatchNorm(LoweredGraph& lowered);

/// A batch norm in eval mode with statistics of its own.
struct BatchNorm {
  std::size_t mean = 0, variance = 0;  ///< parameters
  double epsilon = 0;
};

/// The batch norms that read the output of a layer's only operator and nothing else does, by that output's site.
std::map<int, BatchNorm> FindBatchNorms(const LoweredGraph& lowered);

}  // namespace bitplan
