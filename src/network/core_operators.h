#pragma once

#include "network/lowered_graph.h"

namespace bitplan::network {

/// Puts the operators of modules in the place of what decompositions make of them (Core ATen IR, as run_decompositions
/// and other tracers leave it): convolutions of a number of axes, norms and pools with one result, softmax, linear
/// layers that became products of flattened operands. The same values, to rounding, and layers where the module had
/// them. Sizes that values' types state are used to tell what a flattening undoes.
void ReplaceCoreOperators(LoweredGraph& lowered);

}  // namespace bitplan::network
