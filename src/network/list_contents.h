#pragma once

#include "network/lowered_graph.h"

namespace bitplan::network {

/// Gives every reader of a list that operators of known effect write to (append, insert, extend, an item that is set)
/// a list of its own that is made of the items there are at that point. Lists that are written to in a branch or loop
/// that they were not made in, or that may be reached by another way, stay as they are.
void SettleLists(torch::jit::Graph& graph);

/// Whether a loop whose number of iterations is known writes to a list or dict, which can be followed once it is
/// unrolled.
bool WritesToContainersInLoops(torch::jit::Graph& graph);

}  // namespace bitplan::network
