// MaxPool, AveragePool, LpPool and the global ones.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "readers/onnx/window.h"

namespace bitplan::network {

namespace {

using torch::jit::Value;
using Sizes = std::vector<std::int64_t>;

/// Whether ATen's pools take the padding: on both sides the same, and at most half of the kernel.
bool IsTaken(const Window& window) {
  if (!window.IsSymmetric()) return false;
  for (std::size_t i = 0; i < window.axes(); ++i)
    if (window.begin[i] * 2 > window.kernel[i]) return false;
  return true;
}

std::vector<OnnxValue> MaxPool(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  Value* input = node.Input(0);
  const at::ScalarType type = builder.Type(input);
  if (node.HasOutput(1)) node.Refuse("its second output, positions of the maxima, is not read");
  Window window = WindowOf(node, input, node.Ints("kernel_shape"));
  if (type == at::kByte || type == at::kChar) input = builder.Call("aten::to", {input, at::kFloat, false, false});
  if (!IsTaken(window)) {
    input = PadInput(node, input, window, -std::numeric_limits<double>::infinity());
    window.begin.assign(window.axes(), 0);
  }
  Value* const result = builder.Call(
      fmt::format("aten::max_pool{}d", window.axes()),
      {input, window.kernel, window.strides, window.begin, window.dilations, node.Int("ceil_mode", 0) != 0});
  if (type == at::kByte || type == at::kChar) return {builder.Call("aten::to", {result, type, false, false})};
  return {result};
}

std::vector<OnnxValue> AveragePool(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  Value* const input = node.Input(0);
  const Window window = WindowOf(node, input, node.Ints("kernel_shape"));
  const bool ceil = node.Int("ceil_mode", 0) != 0, counts = node.Int("count_include_pad", 0) != 0;
  if (std::any_of(window.dilations.begin(), window.dilations.end(), [](auto d) { return d != 1; }))
    node.Refuse("average pools with dilations have no operator in ATen");
  const std::string op = fmt::format("aten::avg_pool{}d", window.axes());
  if (IsTaken(window)) return {builder.Call(op, {input, window.kernel, window.strides, window.begin, ceil, counts})};
  const Sizes none(window.axes(), 0);
  Value* const sum =
      builder.Call(op, {PadInput(node, input, window, 0.0), window.kernel, window.strides, none, ceil, true});
  if (counts && !ceil) return {sum};
  Value* const ones = builder.Call("aten::ones_like", {input});
  Value* const share = builder.Call(
      op, {PadInput(node, ones, window, counts ? 1.0 : 0.0), window.kernel, window.strides, none, ceil, true});
  return {builder.Call("aten::div", {sum, share})};
}

Value* Powered(OnnxBuilder& builder, Value* value, double power) { return builder.Call("aten::pow", {value, power}); }

/// (Σ|x|^p)^(1/p), by the mean over windows of which each has as many elements.
std::vector<OnnxValue> LpPool(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  Value* const input = node.Input(0);
  const auto power = static_cast<double>(node.Int("p", 2));
  const Window window = WindowOf(node, input, node.Ints("kernel_shape"));
  if (node.Int("ceil_mode", 0) != 0) node.Refuse("ceil_mode is not read");
  if (std::any_of(window.dilations.begin(), window.dilations.end(), [](auto d) { return d != 1; }))
    node.Refuse("pools with dilations have no operator in ATen");
  Value* const powers = Powered(builder, builder.Call("aten::abs", {input}), power);
  double count = 1;
  for (const std::int64_t size : window.kernel) count *= static_cast<double>(size);
  Value* const mean = builder.Call(
      fmt::format("aten::avg_pool{}d", window.axes()),
      {PadInput(node, powers, window, 0.0), window.kernel, window.strides, Sizes(window.axes(), 0), false, true});
  return {Powered(builder, builder.Call("aten::mul", {mean, count}), 1 / power)};
}

Sizes Space(const OnnxNode& node) {
  Sizes axes;
  for (std::int64_t axis = 2; axis < node.builder().Rank(node.Input(0)); ++axis) axes.push_back(axis);
  if (axes.empty()) node.Refuse("its input has no axes of space");
  return axes;
}

}  // namespace

void AddPools(OnnxOperators& all) {
  all["MaxPool"] = MaxPool;
  all["AveragePool"] = AveragePool;
  all["LpPool"] = LpPool;
  all["GlobalAveragePool"] = [](const OnnxNode& node) -> std::vector<OnnxValue> {
    return {node.builder().Call("aten::mean", {node.Input(0), Space(node), true})};
  };
  all["GlobalMaxPool"] = [](const OnnxNode& node) -> std::vector<OnnxValue> {
    return {node.builder().Call("aten::amax", {node.Input(0), Space(node), true})};
  };
  all["GlobalLpPool"] = [](const OnnxNode& node) -> std::vector<OnnxValue> {
    const auto power = static_cast<double>(node.Int("p", 2));
    return {node.builder().Call("aten::linalg_vector_norm", {node.Input(0), power, Space(node), true})};
  };
}

}  // namespace bitplan::network
