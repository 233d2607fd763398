#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include <cstddef>
#include <functional>
#include <vector>

#include "readers/onnx/builder.h"

namespace bitplan::network {

/// What an iteration of a loop makes.
struct OnnxIteration {
  torch::jit::Value* goes_on = nullptr;  ///< bool; null: it does
  std::vector<torch::jit::Value*> carried;
  std::vector<torch::jit::Value*> collected;  ///< tensors of the same sizes in each iteration
};

using OnnxStep = std::function<OnnxIteration(torch::jit::Value* trip, const std::vector<torch::jit::Value*>& carried)>;

/// Inserts a loop over tensors that iterations hand on to each other. Results: what the last one carries, then what
/// each of them collected, stacked along a first axis (without any iteration an empty tensor of one axis). `step` may
/// be called several times. Throws Error where a tensor changes its number of axes.
std::vector<torch::jit::Value*> InsertLoop(OnnxBuilder& builder, torch::jit::Value* trips, torch::jit::Value* condition,
                                           const std::vector<torch::jit::Value*>& carried, const OnnxStep& step);

}  // namespace bitplan::network
