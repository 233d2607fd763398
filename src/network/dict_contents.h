#pragma once

#include <torch/csrc/jit/ir/ir.h>

namespace bitplan::network {

/// Puts what a dict holds in the place of reads from it, for dicts that are made and written to in one block with keys
/// that are constants (`features["res4"] = y`): a tensor from a dict is then the tensor that went in. A dict that the
/// graph returns is made as it is in the end. Others stay as they are.
void SettleDicts(torch::jit::Graph& graph);

}  // namespace bitplan::network
