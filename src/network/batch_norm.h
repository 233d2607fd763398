#pragma once

#include "network/lowered_graph.h"

namespace bitplan {

/// Folds every batch norm in eval mode that reads nothing but one convolution or linear layer's result into that layer
/// (Jacob et al., CVPR 2018, section 3.2): W ← W γ/√(σ² + ε), b ← (b − μ) γ/√(σ² + ε) + β. The rest stays.
void FoldBatchNorm(LoweredGraph& lowered);

}  // namespace bitplan
