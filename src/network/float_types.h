#pragma once

#include "network/lowered_graph.h"

namespace bitplan::network {

/// Everything is computed in float32, whatever the file holds: parameters become plain float32 tensors without history,
/// and so does what the forward makes in the types that they had (zeros, casts). Where the file is not in float32, the
/// graph casts the caller's tensors, which may not be either.
void ComputeInFloat(LoweredGraph& lowered);

}  // namespace bitplan::network
