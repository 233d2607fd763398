#pragma once

#include <torch/csrc/jit/ir/ir.h>

namespace bitplan::network {

/// Checks that a graph, with all that it calls, has no more nodes than a network may, before they are inlined:
/// functions that each call another twice double with each level. Throws Error.
void CheckInlinedSize(const torch::jit::Graph& graph);

/// Removes what prints. Throws Error where a graph reads or writes files, or calls other machines.
void RemoveOutsideEffects(torch::jit::Graph& graph);

}  // namespace bitplan::network
