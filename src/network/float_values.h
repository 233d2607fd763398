#pragma once

#include "network/lowered_graph.h"

namespace bitplan::network {

/// Whether `value` is a float32 tensor for sure, whatever the network's inputs are. Floating-point parameters are.
bool IsFloat(const LoweredGraph& lowered, const torch::jit::Value* value);

}  // namespace bitplan::network
