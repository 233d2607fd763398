#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include <string>
#include <vector>

namespace bitplan::network {

/// The outputs of a program put together as its module returns them: nested tuples, with the names that dicts, named
/// tuples and the dataclasses of other libraries have for their parts. `spec` is the text of a pytree's description
/// (torch.utils._pytree.treespec_dumps); without one that fits, several outputs are one tuple.
torch::jit::Value* OutputTree(torch::jit::Graph& graph, const std::vector<torch::jit::Value*>& leaves,
                              const std::string& spec);

}  // namespace bitplan::network
