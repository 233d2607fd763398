#pragma once

#include "network/lowered_graph.h"

namespace bitplan::network {

/// Makes parameters of the weights and biases of layers and normalizations that the forward computes from parameters
/// alone (weight norm, spectral norm and other parametrizations, weight standardization, concatenated weights): they
/// are computed once, here, and are trainable where something is that they are made of. Not where the result is much
/// larger than what it is made of.
void FixWeights(LoweredGraph& lowered);

}  // namespace bitplan::network
