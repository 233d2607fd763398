#pragma once

#include <vector>

#include "network/lowered_graph.h"

namespace bitplan::network {

/// `base` with `part` in the place of what views take of it, made anew at the graph's insertion point. `path`: results
/// of one view operator after the other, from the base to a tensor of the part's shape. Differentiable in both.
torch::jit::Value* InsertScatter(torch::jit::Graph& graph, const std::vector<torch::jit::Value*>& path,
                                 torch::jit::Value* base, torch::jit::Value* part);

/// Whether InsertScatter copies the part where `view` is the whole path, so that the result shares no memory with it.
bool ScatterCopies(const torch::jit::Node* view);

/// What the operator that makes `result` makes of another first operand, at the graph's insertion point.
torch::jit::Value* InsertOn(torch::jit::Graph& graph, torch::jit::Value* result, torch::jit::Value* operand);

}  // namespace bitplan::network
