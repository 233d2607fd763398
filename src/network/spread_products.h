#pragma once

#include "network/lowered_graph.h"

namespace bitplan::network {

/// A product with a weight, and a bias that is added to it after, are one linear layer: linear(x, W) + b with a
/// parameter b [out], where nothing else reads the product.
void JoinBiases(LoweredGraph& lowered);

/// Attention that was decomposed scales queries and keys by √s each: (q √s)(k √s)ᵀ. Written out by us it is (q s) kᵀ,
/// whose last digits differ; so that inputs are quantized alike, the factors are joined on the left.
void JoinScales(LoweredGraph& lowered);

}  // namespace bitplan::network
