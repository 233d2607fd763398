#pragma once

#include <vector>

#include "network/lowered_graph.h"

namespace bitplan {

/// Graph inputs (arguments and parameters, by position) that an in-place operator of the graph may write to. They are copied
/// before each run, so that every run starts from the saved state and the caller's tensors stay as they are.
std::vector<std::size_t> WrittenInputs(const LoweredGraph& lowered);

}  // namespace bitplan
