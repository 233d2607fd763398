// MaxPool, MaxUnpool, AveragePool, LpPool and the global ones.
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

bool IsDilated(const Window& window) {
  return std::any_of(window.dilations.begin(), window.dilations.end(), [](auto dilation) { return dilation != 1; });
}

/// ATen's positions are of a channel's elements, ONNX's of all elements of the tensor.
Value* PositionsOf(const OnnxNode& node, Value* input, Value* positions) {
  OnnxBuilder& builder = node.builder();
  const std::int64_t rank = builder.Rank(input);
  std::vector<Value*> sizes = builder.Sizes(input);
  const auto times = [&](Value* a, Value* b) { return builder.Call("aten::mul", {a, b}); };
  Value* elements = builder.Constant(1);
  for (std::size_t i = 2; i < sizes.size(); ++i) elements = times(elements, sizes[i]);
  if (node.Int("storage_order", 0) != 0) {
    if (rank != 4) node.Refuse("storage_order is read of images alone");
    Value* const row = builder.Call("aten::floor_divide", {positions, sizes[3]});
    Value* const column = builder.Call("aten::remainder", {positions, sizes[3]});
    positions = builder.Call("aten::add", {times(column, sizes[2]), row});
  }
  Value* channels =
      builder.Call("aten::arange", {times(sizes[0], sizes[1])}, {{"dtype", at::kLong}, {"device", builder.device()}});
  std::vector<Value*> shape{sizes[0], sizes[1]};
  shape.resize(static_cast<std::size_t>(rank), builder.Constant(1));
  channels = builder.Call("aten::view", {times(channels, elements), builder.Integers(shape)});
  return builder.Call("aten::add", {positions, channels});
}

std::vector<OnnxValue> MaxPool(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  Value* input = node.Input(0);
  const at::ScalarType type = builder.Type(input);
  const bool narrow = type == at::kByte || type == at::kChar;
  Window window = WindowOf(node, input, node.Ints("kernel_shape"));
  if (narrow) input = builder.Call("aten::to", {input, at::kFloat, false, false});
  if (!IsTaken(window)) {
    if (node.HasOutput(1)) node.Refuse("positions of maxima are read where the padding is the same on both sides");
    input = PadInput(node, input, window, -std::numeric_limits<double>::infinity());
    window.begin.assign(window.axes(), 0);
  }
  const std::string op = fmt::format("aten::max_pool{}d", window.axes());
  const OnnxBuilder::Arguments arguments{input,        window.kernel,    window.strides,
                                         window.begin, window.dilations, node.Int("ceil_mode", 0) != 0};
  std::vector<OnnxValue> results;
  if (node.HasOutput(1)) {
    const auto both = builder.CallForAll(op + "_with_indices", arguments);
    results = {both[0], PositionsOf(node, node.Input(0), both[1])};
  } else {
    results = {builder.Call(op, arguments)};
  }
  if (narrow) results[0] = builder.Call("aten::to", {results[0].tensor, type, false, false});
  return results;
}

/// Puts each element where it was before a MaxPool; zeros between.
std::vector<OnnxValue> MaxUnpool(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  Value* const input = node.Input(0);
  const Window window = WindowOf(node, input, node.Ints("kernel_shape"));
  std::vector<Value*> sizes = builder.Sizes(input);
  for (std::size_t i = 0; i < window.axes(); ++i) {
    Value* const steps = builder.Call("aten::mul", {builder.Call("aten::sub", {sizes[i + 2], 1}), window.strides[i]});
    sizes[i + 2] = builder.Call("aten::add", {steps, window.kernel[i] - window.begin[i] - window.end[i]});
  }
  Value* total = builder.Constant(1);
  for (Value* const size : sizes) total = builder.Call("aten::mul", {total, size});
  Value* const zeros = builder.Call("aten::zeros", {builder.Integers({total})},
                                    {{"dtype", builder.Type(input)}, {"device", builder.device()}});
  const auto flat = [&](Value* value) { return builder.Call("aten::reshape", {value, Sizes{-1}}); };
  Value* const filled = builder.Call("aten::scatter", {zeros, 0, flat(node.Input(1)), flat(input)});
  Value* const result = builder.Call("aten::view", {filled, builder.Integers(sizes)});
  if (!node.Has(2)) return {result};
  const std::vector<Value*> wanted = node.Integers(2);
  if (wanted.size() != sizes.size()) node.Refuse("its output_shape has other axes than its input");
  std::vector<Value*> pads;
  for (std::size_t i = sizes.size(); i-- > 2;) {
    pads.push_back(builder.Constant(0));
    pads.push_back(builder.Call("aten::sub", {wanted[i], sizes[i]}));
  }
  return {builder.Call("aten::constant_pad_nd", {result, builder.Integers(pads), 0})};
}

constexpr std::int64_t kMostSlices = 1024;

/// Sums over windows by a sum of slices of the padded input: for windows that no pool of ATen has.
Value* SumOfSlices(const OnnxNode& node, Value* padded, const Window& window) {
  OnnxBuilder& builder = node.builder();
  std::vector<Value*> sums{padded};
  for (std::size_t i = 0; i < window.axes(); ++i) {
    if (window.kernel[i] > kMostSlices) node.Refuse("its kernel is larger than 1024");
    const auto axis = static_cast<std::int64_t>(i) + 2;
    Value* const size = builder.Size(padded, axis);
    Value* sum = nullptr;
    for (std::int64_t at = 0; at < window.kernel[i]; ++at) {
      const std::int64_t after = (window.kernel[i] - 1 - at) * window.dilations[i];
      Value* const end = builder.Call("aten::sub", {size, after});
      Value* const slice =
          builder.Call("aten::slice", {sums.back(), axis, at * window.dilations[i], end, window.strides[i]});
      sum = sum ? builder.Call("aten::add", {sum, slice}) : slice;
    }
    sums.push_back(sum);
  }
  return sums.back();
}

/// The window with as much more padding at the end as its last place needs where sizes are rounded up; a window that
/// would begin in that padding is none.
Window RoundedUp(const OnnxNode& node, Value* input, Window window) {
  if (node.Int("ceil_mode", 0) == 0) return window;
  if (!window.computed_begin.empty()) node.Refuse("it rounds sizes up that are not fixed");
  for (std::size_t i = 0; i < window.axes(); ++i) {
    const auto size = node.builder().FixedSize(input, static_cast<std::int64_t>(i) + 2);
    if (!size) node.Refuse("it rounds sizes up that are not fixed");
    const std::int64_t reach = (window.kernel[i] - 1) * window.dilations[i] + 1, stride = window.strides[i];
    const std::int64_t free = *size + window.begin[i] + window.end[i] - reach;
    std::int64_t places = (free + stride - 1) / stride;
    if (places * stride >= *size + window.begin[i]) --places;
    window.end[i] += std::max<std::int64_t>(places * stride - free, 0);
  }
  return window;
}

/// Sums over windows, and how many elements each is of.
std::vector<OnnxValue> AverageOfSlices(const OnnxNode& node, Value* input, const Window& window, bool counts) {
  OnnxBuilder& builder = node.builder();
  const Window all = RoundedUp(node, input, window);
  Value* const sum = SumOfSlices(node, PadInput(node, input, all, 0.0), all);
  Value* ones = builder.Call("aten::ones_like", {input});
  Window rest = all;
  if (counts) {
    ones = PadInput(node, ones, window, 1.0);
    rest.begin.assign(window.axes(), 0);
    for (std::size_t i = 0; i < window.axes(); ++i) rest.end[i] = all.end[i] - window.end[i];
    rest.computed_begin.clear();
    rest.computed_end.clear();
  }
  Value* const count = SumOfSlices(node, PadInput(node, ones, rest, 0.0), all);
  return {builder.Call("aten::div", {sum, count})};
}

std::vector<OnnxValue> AveragePool(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  Value* const input = node.Input(0);
  const Window window = WindowOf(node, input, node.Ints("kernel_shape"));
  const bool ceil = node.Int("ceil_mode", 0) != 0, counts = node.Int("count_include_pad", 0) != 0;
  if (IsDilated(window)) return AverageOfSlices(node, input, window, counts);
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
  Value* const powers = Powered(builder, builder.Call("aten::abs", {input}), power);
  if (node.Int("ceil_mode", 0) != 0 || IsDilated(window)) {
    const Window all = RoundedUp(node, input, window);
    return {Powered(builder, SumOfSlices(node, PadInput(node, powers, all, 0.0), all), 1 / power)};
  }
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
  all["MaxUnpool"] = MaxUnpool;
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
