#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include <memory>

namespace bitplan::network {

/// The graph itself or, where recurrent operators are given their first state, a copy in which they refuse one of
/// another number of samples than their input has. LibTorch's CPU kernels read and write past its end.
std::shared_ptr<torch::jit::Graph> WithCheckedStates(const std::shared_ptr<torch::jit::Graph>& graph);

}  // namespace bitplan::network
