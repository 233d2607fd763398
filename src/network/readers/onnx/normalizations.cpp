// BatchNormalization, LayerNormalization and the like; Softmax.
#include "readers/onnx/node.h"

namespace bitplan::network {

namespace {

using torch::jit::Value;
using Results = std::vector<OnnxValue>;

double Epsilon(const OnnxNode& node) { return node.Number("epsilon", 1e-5); }

Results BatchNorm(const OnnxNode& node) {
  if (node.Int("training_mode", 0) != 0) node.Refuse("it is in training mode; export the model for inference");
  if (node.opset() < 9 && node.Int("spatial", 1) == 0) node.Refuse("spatial = 0 is not read");
  return {node.builder().Call("aten::batch_norm", {node.Input(0), node.Input(1), node.Input(2), node.Input(3),
                                                   node.Input(4), false, 0.1, Epsilon(node), false})};
}

/// Sizes of the axes from `axis` on.
std::vector<Value*> Trailing(const OnnxNode& node, Value* input, std::int64_t axis) {
  const std::vector<Value*> sizes = node.builder().Sizes(input);
  return {sizes.begin() + axis, sizes.end()};
}

/// A scale or bias in the shape of what is normalized.
Value* InShape(OnnxBuilder& builder, Value* value, const std::vector<Value*>& shape) {
  bool same = builder.Rank(value) == static_cast<std::int64_t>(shape.size());
  for (std::size_t i = 0; same && i < shape.size(); ++i) {
    const auto fixed = builder.ConstantOf(shape[i]);
    same = fixed && builder.FixedSize(value, static_cast<std::int64_t>(i)) == fixed->toInt();
  }
  return same ? value : builder.Call("aten::expand", {value, builder.Integers(shape)});
}

Results LayerNorm(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  Value* const input = node.Input(0);
  const auto sizes = Trailing(node, input, builder.Axis(input, node.Int("axis", -1)));
  Value* const shape = builder.Integers(sizes);
  Value* const scale = InShape(builder, node.Input(1), sizes);
  Value* const bias = node.Has(2) ? InShape(builder, node.Input(2), sizes) : builder.Constant(c10::IValue());
  if (!node.HasOutput(1) && !node.HasOutput(2))
    return {builder.Call("aten::layer_norm", {input, shape, scale, bias, Epsilon(node)})};
  Results results;
  for (Value* const result : builder.CallForAll("aten::native_layer_norm", {input, shape, scale, bias, Epsilon(node)}))
    results.emplace_back(result);
  return results;
}

Results RmsNorm(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  Value* const input = node.Input(0);
  const auto sizes = Trailing(node, input, builder.Axis(input, node.Int("axis", -1)));
  return {builder.Call("aten::rms_norm",
                       {input, builder.Integers(sizes), InShape(builder, node.Input(1), sizes), Epsilon(node)})};
}

/// Before operator set 21 scale and bias are of groups, then of channels.
Results GroupNorm(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  const std::int64_t groups = node.Int("num_groups", 1);
  const auto channels = builder.FixedSize(node.Input(0), 1);
  const auto of_channels = [&](Value* value) {
    if (node.opset() >= 21 || !channels) return value;
    return builder.Call("aten::repeat_interleave", {value, *channels / groups}, {{"dim", 0}});
  };
  return {builder.Call("aten::group_norm",
                       {node.Input(0), groups, of_channels(node.Input(1)), of_channels(node.Input(2)), Epsilon(node)})};
}

Results InstanceNorm(const OnnxNode& node) {
  return {node.builder().Call("aten::instance_norm", {node.Input(0), node.Input(1), node.Input(2), c10::IValue(),
                                                      c10::IValue(), true, 0.0, Epsilon(node), false})};
}

/// x / (bias + α/size · Σ x²)^β, the sum over `size` channels around each.
Results LocalResponseNorm(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  Value* const input = node.Input(0);
  const std::int64_t size = node.Int("size", 1), before = (size - 1) / 2;
  Value* const squares = builder.Call(
      "aten::unsqueeze", {builder.Call("aten::flatten", {builder.Call("aten::mul", {input, input}), 2, -1}), 1});
  const std::vector<std::int64_t> pads{0, 0, before, size - 1 - before};
  Value* const mean =
      builder.Call("aten::avg_pool2d", {builder.Call("aten::constant_pad_nd", {squares, pads, 0.0}),
                                        std::vector<std::int64_t>{size, 1}, std::vector<std::int64_t>{1, 1}});
  Value* const shaped = builder.Call("aten::view_as", {builder.Call("aten::squeeze", {mean, 1}), input});
  Value* const base = builder.Call(
      "aten::add", {builder.Call("aten::mul", {shaped, node.Number("alpha", 1e-4)}), node.Number("bias", 1.0)});
  return {builder.Call("aten::div", {input, builder.Call("aten::pow", {base, node.Number("beta", 0.75)})})};
}

/// Before operator set 13 over all axes from `axis` on, as one.
Results Softmax(const OnnxNode& node, const char* op) {
  OnnxBuilder& builder = node.builder();
  Value* const input = node.Input(0);
  if (node.opset() >= 13) return {builder.Call(op, {input, node.Int("axis", -1), c10::IValue()})};
  const std::int64_t rank = builder.Rank(input);
  const std::int64_t axis = builder.Axis(input, node.Int("axis", 1));
  if (axis == rank - 1) return {builder.Call(op, {input, -1, c10::IValue()})};
  Value* const flat = builder.Call("aten::flatten", {input, axis, -1});
  return {builder.Call("aten::view_as", {builder.Call(op, {flat, -1, c10::IValue()}), input})};
}

/// 1 at the first of the largest. Before operator set 13 over all axes from `axis` on, as one.
Results Hardmax(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  Value* const input = node.Input(0);
  const bool whole = node.opset() < 13;
  const std::int64_t axis = builder.Axis(input, node.Int("axis", whole ? 1 : -1));
  Value* const values =
      whole && axis < builder.Rank(input) - 1 ? builder.Call("aten::flatten", {input, axis, -1}) : input;
  const std::int64_t last = whole ? builder.Rank(values) - 1 : axis;
  Value* const largest = builder.Call("aten::argmax", {values, last, true});
  Value* const hot = builder.Call("aten::scatter", {builder.Call("aten::zeros_like", {values}), last, largest, 1.0});
  return {values == input ? hot : builder.Call("aten::view_as", {hot, input})};
}

Results LpNormalization(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  Value* const input = node.Input(0);
  const std::vector<std::int64_t> axis{node.Int("axis", -1)};
  Value* const norm =
      builder.Call("aten::linalg_vector_norm", {input, static_cast<double>(node.Int("p", 2)), axis, true});
  return {builder.Call("aten::div", {input, builder.Call("aten::clamp_min", {norm, 1e-12})})};
}

Results MeanVariance(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  Value* const input = node.Input(0);
  const auto axes = node.Ints("axes", {0, 2, 3});
  Value* const centered = builder.Call("aten::sub", {input, builder.Call("aten::mean", {input, axes, true})});
  Value* const variance = builder.Call("aten::mean", {builder.Call("aten::mul", {centered, centered}), axes, true});
  Value* const deviation = builder.Call("aten::add", {builder.Call("aten::sqrt", {variance}), 1e-9});
  return {builder.Call("aten::div", {centered, deviation})};
}

}  // namespace

void AddNormalizations(OnnxOperators& all) {
  all["BatchNormalization"] = BatchNorm;
  all["LayerNormalization"] = LayerNorm;
  all["RMSNormalization"] = RmsNorm;
  all["GroupNormalization"] = GroupNorm;
  all["InstanceNormalization"] = InstanceNorm;
  all["LRN"] = LocalResponseNorm;
  all["Softmax"] = [](const OnnxNode& node) { return Softmax(node, "aten::softmax"); };
  all["LogSoftmax"] = [](const OnnxNode& node) { return Softmax(node, "aten::log_softmax"); };
  all["Hardmax"] = Hardmax;
  all["LpNormalization"] = LpNormalization;
  all["MeanVarianceNormalization"] = MeanVariance;
}

}  // namespace bitplan::network
