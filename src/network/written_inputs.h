#pragma once

#include <vector>

#include "network/lowered_graph.h"

namespace bitplan::network {

/// Graph inputs (arguments and parameters, by position) that an in-place operator of the graph may write to. Taps,
/// which hide what an operator writes to, must not be in yet.
std::vector<std::size_t> WrittenInputs(const LoweredGraph& lowered);

}  // namespace bitplan::network
