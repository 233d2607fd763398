#pragma once

#include <cstdint>
#include <vector>

#include "readers/onnx/node.h"

namespace bitplan::network {

/// How the windows of a convolution or pool lie, one number an axis of space.
struct Window {
  std::vector<std::int64_t> kernel, strides, dilations;
  std::vector<std::int64_t> begin, end;                          ///< padding before and after
  std::vector<torch::jit::Value*> computed_begin, computed_end;  ///< in their place where the input's size decides
  std::size_t axes() const { return kernel.size(); }
  /// Whether an operator of ATen takes the padding as it is: the same on both sides.
  bool IsSymmetric() const { return computed_begin.empty() && begin == end; }
};

/// The node's window; auto_pad becomes padding for the input's size.
Window WindowOf(const OnnxNode& node, torch::jit::Value* input, std::vector<std::int64_t> kernel);

/// The input with that much of `value` around it.
torch::jit::Value* PadInput(const OnnxNode& node, torch::jit::Value* input, const Window& window, double value);

}  // namespace bitplan::network
