#include "readers/onnx/window.h"

#include <algorithm>

namespace bitplan::network {

using torch::jit::Value;

namespace {

/// max((ceil(size / stride) − 1)·stride + (kernel − 1)·dilation + 1 − size, 0)
Value* SamePadding(OnnxBuilder& builder, Value* size, std::int64_t stride, std::int64_t reach) {
  Value* const steps = builder.Call("aten::floordiv", {builder.Call("aten::sub", {size, 1}), stride});
  Value* const covered = builder.Call("aten::add", {builder.Call("aten::mul", {steps, stride}), reach + 1});
  return builder.Call("prim::max", {builder.Call("aten::sub", {covered, size}), 0});
}

void SetSamePadding(const OnnxNode& node, Value* input, bool upper, Window& window) {
  OnnxBuilder& builder = node.builder();
  std::vector<Value*> begin, end;
  for (std::size_t i = 0; i < window.axes(); ++i) {
    Value* const size = builder.Size(input, static_cast<std::int64_t>(i) + 2);
    Value* const total = SamePadding(builder, size, window.strides[i], (window.kernel[i] - 1) * window.dilations[i]);
    Value* const less = builder.Call("aten::floordiv", {total, 2});
    Value* const more = builder.Call("aten::sub", {total, less});
    begin.push_back(upper ? less : more);
    end.push_back(upper ? more : less);
  }
  const bool fixed =
      std::all_of(begin.begin(), begin.end(), [&](Value* v) { return builder.ConstantOf(v).has_value(); });
  for (std::size_t i = 0; fixed && i < window.axes(); ++i) {
    window.begin[i] = builder.ConstantOf(begin[i])->toInt();
    window.end[i] = builder.ConstantOf(end[i])->toInt();
  }
  if (fixed) return;
  window.computed_begin = begin;
  window.computed_end = end;
}

}  // namespace

Window WindowOf(const OnnxNode& node, Value* input, std::vector<std::int64_t> kernel) {
  const std::size_t axes = kernel.size();
  if (node.builder().Rank(input) != static_cast<std::int64_t>(axes) + 2)
    node.Refuse("its kernel has other axes than its input");
  if (axes < 1 || axes > 3) node.Refuse("windows of one, two or three axes are read");
  Window window;
  window.kernel = std::move(kernel);
  window.strides = node.Ints("strides", std::vector<std::int64_t>(axes, 1));
  window.dilations = node.Ints("dilations", std::vector<std::int64_t>(axes, 1));
  const auto pads = node.Ints("pads", std::vector<std::int64_t>(2 * axes, 0));
  if (window.strides.size() != axes || window.dilations.size() != axes || pads.size() != 2 * axes)
    node.Refuse("its strides, dilations or pads have other axes than its kernel");
  if (std::any_of(window.strides.begin(), window.strides.end(), [](auto stride) { return stride < 1; }))
    node.Refuse("its strides are not positive");
  window.begin.assign(pads.begin(), pads.begin() + static_cast<std::ptrdiff_t>(axes));
  window.end.assign(pads.begin() + static_cast<std::ptrdiff_t>(axes), pads.end());
  const std::string automatic = node.Text("auto_pad", "NOTSET");
  if (automatic == "VALID") window.begin = window.end = std::vector<std::int64_t>(axes, 0);
  if (automatic.starts_with("SAME")) SetSamePadding(node, input, automatic == "SAME_UPPER", window);
  return window;
}

Value* PadInput(const OnnxNode& node, Value* input, const Window& window, double value) {
  OnnxBuilder& builder = node.builder();
  std::vector<Value*> pads;  // the last axis first
  for (std::size_t i = window.axes(); i-- > 0;) {
    const bool computed = !window.computed_begin.empty();
    pads.push_back(computed ? window.computed_begin[i] : builder.Constant(window.begin[i]));
    pads.push_back(computed ? window.computed_end[i] : builder.Constant(window.end[i]));
  }
  return builder.Call("aten::constant_pad_nd", {input, builder.Integers(pads), value});
}

}  // namespace bitplan::network
