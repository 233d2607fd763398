#pragma once

#include "network/lowered_graph.h"

namespace bitplan::network {

/// Puts plain operators in the place of those that write in place (add for add_; slice_scatter and the like for a write
/// through a view), so that every value is what it was made as. Writes that cannot be followed stay: those to what may
/// or may not share memory with something that is read later, and those for which there is no plain operator.
void Functionalize(LoweredGraph& lowered);

}  // namespace bitplan::network
