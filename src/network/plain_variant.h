#pragma once

#include "network/lowered_graph.h"

namespace bitplan::network {

/// Whether `node` writes to its first operand, a tensor, hands it on, and writes to nothing else.
bool WritesToFirst(const torch::jit::Node* node);

/// Whether there is an operator that makes what `node`, which writes to its first operand, leaves there.
bool HasPlainVariant(const torch::jit::Node* node);

/// What `node` would leave in its first operand, which now holds `before`, made anew at the graph's insertion point:
/// add for add_, a copy of the source for copy_. `shared`: the result may lie in the memory of another tensor. Needs a
/// plain variant.
torch::jit::Value* InsertPlainVariant(const LoweredGraph& lowered, torch::jit::Node* node, torch::jit::Value* before,
                                      bool shared);

}  // namespace bitplan::network
