#pragma once

#include <torch/csrc/jit/api/module.h>

#include <map>
#include <string>

#include "network/lowered_graph.h"

namespace bitplan::network {

/// Lowers the forward of a module in eval mode (Network in docs/architecture.md). Throws Error naming the attribute
/// that cannot be lifted or followed. `input_values`: as NetworkOptions has them.
LoweredGraph Lower(const torch::jit::Module& module, const std::map<std::string, std::string>& input_values = {});

}  // namespace bitplan::network
