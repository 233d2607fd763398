#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "readers/onnx/node.h"

namespace bitplan::network {

/// LSTM, GRU or RNN, step by step: what ATen's operators do not compute, as ONNX defines it.
struct RecurrentSteps {
  std::int64_t hidden = 0;
  std::vector<std::string> directions;     ///< forward, reverse: one or both
  torch::jit::Value* input = nullptr;      ///< [steps, N, features]
  std::vector<torch::jit::Value*> states;  ///< [directions, N, hidden]: of an LSTM two
};

/// What a direction has of a tensor: of one of the file the parameter itself.
torch::jit::Value* OfDirection(OnnxBuilder& builder, torch::jit::Value* all, std::int64_t direction);

/// [steps, directions, N, hidden], then the states at the end.
std::vector<torch::jit::Value*> ReadRecurrentSteps(const OnnxNode& node, const RecurrentSteps& steps);

}  // namespace bitplan::network
