// Conv, ConvTranspose.
#include <fmt/format.h>

#include <algorithm>

#include "readers/onnx/window.h"

namespace bitplan::network {

namespace {

using torch::jit::Value;

std::vector<std::int64_t> KernelOf(const OnnxNode& node, Value* weight) {
  std::vector<std::int64_t> kernel;
  for (std::int64_t axis = 2; axis < node.builder().Rank(weight); ++axis) {
    const auto size = node.builder().FixedSize(weight, axis);
    if (!size) node.Refuse("its kernel's size is not fixed");
    kernel.push_back(*size);
  }
  return node.Ints("kernel_shape", kernel);
}

std::vector<OnnxValue> Convolution(const OnnxNode& node) {
  Value* input = node.Input(0);
  Value* const weight = node.Input(1);
  Window window = WindowOf(node, input, KernelOf(node, weight));
  if (!window.IsSymmetric()) {
    input = PadInput(node, input, window, 0.0);
    window.begin.assign(window.axes(), 0);
  }
  return {node.builder().Call(
      fmt::format("aten::conv{}d", window.axes()),
      {input, weight, node.InputOrNone(2), window.strides, window.begin, window.dilations, node.Int("group", 1)})};
}

/// What of the full result is left out before and after, along an axis.
void SetOutputShape(const OnnxNode& node, Value* input, const std::vector<std::int64_t>& extra, Window& window) {
  OnnxBuilder& builder = node.builder();
  const std::string automatic = node.Text("auto_pad", "NOTSET");
  auto shape = node.Ints("output_shape");
  if (shape.empty() && !automatic.starts_with("SAME")) return;
  for (std::size_t i = 0; i < window.axes(); ++i) {
    const auto size = builder.FixedSize(input, static_cast<std::int64_t>(i) + 2);
    if (!size) node.Refuse("its padding depends on sizes that are not fixed");
    const std::int64_t wanted = shape.empty() ? *size * window.strides[i] : shape[shape.size() - window.axes() + i];
    const std::int64_t full =
        (*size - 1) * window.strides[i] + (window.kernel[i] - 1) * window.dilations[i] + 1 + extra[i];
    const std::int64_t total = full - wanted;  // below 0 zeros follow
    const std::int64_t padded = std::max<std::int64_t>(total, 0);
    window.begin[i] = automatic == "SAME_UPPER" ? padded / 2 : padded - padded / 2;
    window.end[i] = total - window.begin[i];
  }
}

std::vector<OnnxValue> TransposedConvolution(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  Value* const input = node.Input(0);
  Value* const weight = node.Input(1);
  Window window = WindowOf(node, input, KernelOf(node, weight));
  window.computed_begin.clear();  // those would be of a convolution
  window.computed_end.clear();
  const auto extra = node.Ints("output_padding", std::vector<std::int64_t>(window.axes(), 0));
  if (node.Text("auto_pad", "NOTSET") == "NOTSET" && window.IsSymmetric() && !node.HasAttribute("output_shape"))
    return {builder.Call(fmt::format("aten::conv_transpose{}d", window.axes()),
                         {input, weight, node.InputOrNone(2), window.strides, window.begin, extra, node.Int("group", 1),
                          window.dilations})};
  SetOutputShape(node, input, extra, window);
  const std::vector<std::int64_t> none(window.axes(), 0);
  // Padding of the result that the strides do not reach is put on as zeros, below.
  Value* result = builder.Call(
      fmt::format("aten::conv_transpose{}d", window.axes()),
      {input, weight, node.InputOrNone(2), window.strides, none, none, node.Int("group", 1), window.dilations});
  std::vector<std::int64_t> crop;  // the last axis first, as constant_pad_nd takes it
  for (std::size_t i = window.axes(); i-- > 0;) {
    crop.push_back(-window.begin[i]);
    crop.push_back(extra[i] - window.end[i]);
  }
  if (node.Has(2)) {
    for (std::size_t i = 1; i < crop.size(); i += 2)
      if (crop[i] > 0) node.Refuse("output_padding beyond the padding, with a bias");
  }
  return {builder.Call("aten::constant_pad_nd", {result, crop, 0.0})};
}

}  // namespace

void AddConvolutions(OnnxOperators& all) {
  all["Conv"] = Convolution;
  all["ConvTranspose"] = TransposedConvolution;
}

}  // namespace bitplan::network
