#pragma once

#include "network/lowered_graph.h"

namespace bitplan::network {

/// The fast paths of nn.TransformerEncoder and nn.MultiheadAttention hide their layers in one operator. Where one
/// stands in a branch, the branch beside it is the plain form and is taken; where a trace left nothing else, it is
/// written out in plain operators. So is scaled_dot_product_attention, for its second derivatives. Returns whether the
/// graph changed (conditions have become constants).
bool ResolveFusedAttention(LoweredGraph& lowered);

}  // namespace bitplan::network
