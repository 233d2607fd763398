#pragma once

#include <map>
#include <string>
#include <vector>

#include "network/lowered_graph.h"

namespace bitplan::network {

/// Of every parameter that FixWeights made, by its name: the names of the file's tensors that it was computed from.
using ComputedWeights = std::map<std::string, std::vector<std::string>>;

/// Makes parameters of the weights and biases of layers and normalizations that the forward computes from parameters
/// alone (weight norm, spectral norm and other parametrizations, weight standardization, concatenated weights): they
/// are computed once, here. Not where the result is much larger than what it is made of.
ComputedWeights FixWeights(LoweredGraph& lowered);

}  // namespace bitplan::network
