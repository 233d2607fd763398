#pragma once

#include <torch/csrc/jit/api/module.h>

#include "network/lowered_graph.h"

namespace bitplan {

/// Lowers the forward of a module in eval mode (design.md, section 4). Throws Error naming the attribute that cannot be
/// lifted or followed.
LoweredGraph Lower(const torch::jit::Module& module);

}  // namespace bitplan
