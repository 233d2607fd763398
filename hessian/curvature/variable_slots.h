#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "bitplan/curvature.h"
#include "bitplan/network.h"

namespace bitplan::hessian {

/// Where variables enter a run of the network: parameters that are replaced, or sites that are perturbed. A slot is one
/// parameter or one site.
struct VariableSlots {
  bool activations = false;
  std::vector<int> indices;                        ///< in parameters() or in sites(), one per slot
  std::vector<std::vector<std::size_t>> of_layer;  ///< the slots of each entry of Variables::layers
  std::string names;                               ///< of the layers, for messages
};

/// Throws Error: no variables, a layer index outside the network or listed twice, a layer without an input that can be
/// tapped.
VariableSlots FindSlots(const Network& network, const Variables& variables);

/// The sites that hold a layer's inputs, ascending, each once; empty when none can be tapped.
std::vector<int> InputSites(const Layer& layer);

}  // namespace bitplan::hessian
