#pragma once

#include "tree/branch_and_bound.h"

namespace bitplan::search {

/// The best plan of `core` to a relative `gap`, from its solved `root` and a plan `start`, which must be there.
TreeResult SearchExactly(const Core& core, const Node& root, double gap, Incumbent start, Monitor& monitor);

}  // namespace bitplan::search
