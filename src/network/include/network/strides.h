#pragma once

#include "network/lowered_graph.h"

namespace bitplan::network {

/// Puts reshape in the place of view, which fails on tensors that lie in memory in another order (images channels
/// last), and is the same on all others. Not where something writes in place to what a view shows.
void FreeViewsOfStrides(LoweredGraph& lowered);

/// Whether an operator's result hangs on how its operand lies in memory: it is then to lie as the model itself has it.
bool DependsOnStrides(torch::jit::Graph& graph);

}  // namespace bitplan::network
