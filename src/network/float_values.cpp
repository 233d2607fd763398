#include "float_values.h"

#include <algorithm>
#include <set>
#include <string>

namespace bitplan::network {

namespace {

using torch::jit::Node;
using torch::jit::Value;
/// Operators that take nothing but float32 beside a float32 parameter, and make the same.
const OperatorNames& ComputesWithParameters() {
  static const OperatorNames names = {"conv1d",           "conv2d",           "conv3d",           "_convolution",
                              "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "linear",
                              "matmul",           "mm",               "bmm",              "addmm",
                              "batch_norm",       "layer_norm",       "group_norm",       "instance_norm",
                              "embedding",        "prelu"};
  return names;
}

/// Operators whose result is float32 where all tensors that they read are.
const OperatorNames& KeepsFloat() {
  static const OperatorNames names = {
      "relu", "relu6", "hardtanh", "clamp", "clamp_min", "clamp_max", "sigmoid", "tanh", "silu", "gelu", "hardswish",
      "hardsigmoid", "leaky_relu", "elu", "selu", "celu", "mish", "softplus", "exp", "log", "sqrt", "rsqrt", "abs",
      "neg", "square", "add", "sub", "rsub", "mul", "div", "pow", "cat", "stack", "max_pool1d", "max_pool2d",
      "max_pool3d", "avg_pool1d", "avg_pool2d", "avg_pool3d", "adaptive_avg_pool1d", "adaptive_avg_pool2d",
      "adaptive_avg_pool3d", "dropout", "feature_dropout", "slice", "select", "narrow", "view", "reshape", "flatten",
      "unflatten", "permute", "transpose", "t", "unsqueeze", "squeeze", "expand", "expand_as", "contiguous", "clone",
      "detach", "slice_scatter", "select_scatter", "view_as", "reshape_as", "upsample_nearest2d",
      "upsample_bilinear2d", "pixel_shuffle", "constant_pad_nd", "pad", "full_like", "zeros_like", "ones_like"};
  return names;
}

/// Deep enough for the blocks of every network, and an end where operators hand on one another's results a thousand
/// times.
constexpr int kDeepest = 64;

bool IsFloatWithin(const LoweredGraph& lowered, const Value* value, int depth) {
  if (const auto parameter = lowered.ParameterOf(value))
    return lowered.parameters[*parameter].value.is_floating_point();
  const Node* const node = value->node();
  if (!node->kind().is_aten() || depth == kDeepest) return false;
  const auto inputs = node->inputs();
  const auto is_float = [&](const Value* input) { return IsFloatWithin(lowered, input, depth + 1); };
  if (ComputesWithParameters().contains(OperatorName(node)) && std::any_of(inputs.begin() + 1, inputs.end(), is_float))
    return true;
  const auto keeps = [&](const Value* input) {
    if (input->node()->kind() != c10::prim::ListConstruct) return !IsTensorValue(input) || is_float(input);
    const auto items = input->node()->inputs();
    return std::all_of(items.begin(), items.end(),
                       [&](const Value* item) { return !IsTensorValue(item) || is_float(item); });
  };
  return (KeepsFloat().contains(OperatorName(node)) || ComputesWithParameters().contains(OperatorName(node))) &&
         std::all_of(inputs.begin(), inputs.end(), keeps);
}

}  // namespace

bool IsFloat(const LoweredGraph& lowered, const Value* value) { return IsFloatWithin(lowered, value, 0); }

}  // namespace bitplan::network
