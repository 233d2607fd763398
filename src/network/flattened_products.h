#pragma once

#include "network/lowered_graph.h"

namespace bitplan::network {

/// Puts linear layers in the place of products with a transposed weight, alone or between views that flatten the other
/// operand to a matrix and give the product its axes back, where the values' types state sizes that show it.
void JoinFlattenedProducts(LoweredGraph& lowered);

/// Forgets the sizes that values' types state: they are those of the example that a model was exported with.
void EraseSizes(LoweredGraph& lowered);

}  // namespace bitplan::network
