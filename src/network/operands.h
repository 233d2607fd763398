#pragma once

#include <set>

#include "network/layers.h"
#include "network/lowered_graph.h"

namespace bitplan::network {

/// Whether it is a tensor or may have some in it, unlike sizes and other facts about tensors.
bool HoldsTensors(const torch::jit::Value* value);

/// The values of a graph that depend on what a layer makes: activations, and lists of them.
std::set<const torch::jit::Value*> Activations(const LoweredGraph& lowered, const LayerMap& map);

/// Adds sites and taps of the operands of operators without a weight to the layers of the same graph, which has no taps
/// yet. No site gets what an in-place operator overwrites while others still read it.
void FindOperands(LoweredGraph& lowered, LayerMap& map);

}  // namespace bitplan::network
