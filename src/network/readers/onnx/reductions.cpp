// Reductions, positions of extremes, running sums and products.
#include <functional>
#include <limits>
#include <numeric>

#include "readers/onnx/node.h"

namespace bitplan::network {

namespace {

using torch::jit::Value;
using Results = std::vector<OnnxValue>;
using Axes = std::vector<std::int64_t>;
using Step = std::function<Value*(OnnxBuilder&, Value*)>;
using Reduction = std::function<Value*(OnnxBuilder&, Value*, const Axes&, bool)>;

Value* AsIs(OnnxBuilder&, Value* input) { return input; }

/// `before` on each element, the reduction, `after` on each result. Without axes: all of them or, where the node says
/// so, none, and then the elements alone.
OnnxOperator Reduce(Step before, Reduction reduce, Step after = AsIs) {
  return [=](const OnnxNode& node) -> Results {
    OnnxBuilder& builder = node.builder();
    Value* const input = before(builder, node.Input(0));
    Axes axes = node.Axes(1).value_or(Axes());
    if (axes.empty()) {
      if (node.Int("noop_with_empty_axes", 0) != 0) return {after(builder, input)};
      axes.resize(static_cast<std::size_t>(builder.Rank(input)));
      std::iota(axes.begin(), axes.end(), 0);
    }
    if (axes.empty()) return {after(builder, input)};
    return {after(builder, reduce(builder, input, axes, node.Int("keepdims", 1) != 0))};
  };
}

Reduction Call(const char* op) {
  return [op](OnnxBuilder& builder, Value* input, const Axes& axes, bool keep) {
    return builder.Call(op, {input, axes, keep});
  };
}

/// In the type of the elements: sums of integers are of int64 otherwise.
Value* Sum(OnnxBuilder& builder, Value* input, const Axes& axes, bool keep) {
  if (at::isFloatingType(builder.Type(input))) return builder.Call("aten::sum", {input, axes, keep});
  return builder.Call("aten::sum", {input, axes, keep}, {{"dtype", builder.Type(input)}});
}

Value* Product(OnnxBuilder& builder, Value* input, const Axes& axes, bool keep) {
  Value* result = input;
  for (const std::int64_t axis : axes)
    result = builder.Call("aten::prod", {result, axis, true}, {{"dtype", builder.Type(input)}});
  return keep ? result : builder.Call("aten::squeeze", {result, axes});
}

Value* OnIntegersAsNumbers(OnnxBuilder& builder, Value* input, const char* op, const Axes& axes, bool keep) {
  const at::ScalarType type = builder.Type(input);
  if (type != at::kBool) return builder.Call(op, {input, axes, keep});
  Value* const bytes = builder.Call("aten::to", {input, at::kByte, false, false});
  return builder.Call("aten::to", {builder.Call(op, {bytes, axes, keep}), at::kBool, false, false});
}

/// Of no elements at all: what any other is above, or below.
Value* WithNeutral(OnnxBuilder& builder, Value* input, const Axes& axes, bool largest) {
  const at::ScalarType type = builder.Type(input);
  const double bound = at::isFloatingType(type) ? std::numeric_limits<double>::infinity() : 0;
  if (!at::isFloatingType(type) && type != at::kByte && type != at::kBool) return input;
  const double neutral = at::isFloatingType(type) ? (largest ? -bound : bound)
                         : largest                ? 0
                         : type == at::kBool      ? 1
                                                  : 255;
  const std::int64_t rank = builder.Rank(input);
  for (const std::int64_t each : axes) {
    const std::int64_t axis = builder.Axis(input, each);
    if (builder.FixedSize(input, axis) != 0) continue;
    Axes pads(static_cast<std::size_t>(2 * (rank - 1 - axis)), 0);
    pads.insert(pads.end(), {0, 1});
    input = builder.Call("aten::constant_pad_nd", {input, pads, neutral});
  }
  return input;
}

Reduction Extreme(const char* op, bool largest) {
  return [=](OnnxBuilder& builder, Value* input, const Axes& axes, bool keep) {
    return OnIntegersAsNumbers(builder, WithNeutral(builder, input, axes, largest), op, axes, keep);
  };
}

Step Each(const char* op) {
  return [op](OnnxBuilder& builder, Value* input) { return builder.Call(op, {input}); };
}

Value* Squared(OnnxBuilder& builder, Value* input) { return builder.Call("aten::mul", {input, input}); }

/// The first of equal ones or, where the node says so, the last: counted from the end, then.
OnnxOperator Position(const char* op) {
  return [op](const OnnxNode& node) -> Results {
    OnnxBuilder& builder = node.builder();
    Value* const input = node.Input(0);
    const std::int64_t axis = builder.Axis(input, node.Int("axis", 0));
    const bool keep = node.Int("keepdims", 1) != 0;
    if (node.Int("select_last_index", 0) == 0) return {builder.Call(op, {input, axis, keep})};
    Value* const position = builder.Call(op, {builder.Call("aten::flip", {input, Axes{axis}}), axis, keep});
    Value* const last = builder.Call("aten::sub", {builder.Size(input, axis), 1});
    return {builder.Call("aten::add", {builder.Call("aten::neg", {position}), last})};
  };
}

/// Of equal ones the first, which ATen's topk does not promise.
Results TopK(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  Value* const input = node.Input(0);
  const std::int64_t axis = builder.Axis(input, node.Int("axis", -1));
  Value* const count = node.Has(1) ? node.Integer(1) : builder.Constant(node.Int("k", 1));
  const auto sorted = builder.CallForAll(
      "aten::sort", {input}, {{"stable", true}, {"dim", axis}, {"descending", node.Int("largest", 1) != 0}});
  Results results;
  for (Value* const all : sorted) results.emplace_back(builder.Call("aten::narrow", {all, axis, 0, count}));
  return results;
}

/// Sums or products of the elements before each, with it or, where the node says so, without.
OnnxOperator Running(const char* op, double neutral) {
  return [=](const OnnxNode& node) -> Results {
    OnnxBuilder& builder = node.builder();
    Value* input = node.Input(0);
    const std::int64_t rank = builder.Rank(input);
    const std::int64_t axis = builder.Axis(input, static_cast<std::int64_t>(node.ConstantNumber(1)));
    const bool reverse = node.Int("reverse", 0) != 0;
    if (reverse) input = builder.Call("aten::flip", {input, Axes{axis}});
    if (node.Int("exclusive", 0) != 0) {
      Axes pads(static_cast<std::size_t>(2 * (rank - 1 - axis)), 0);
      pads.insert(pads.end(), {1, -1});
      input = builder.Call("aten::constant_pad_nd", {input, pads, neutral});
    }
    Value* const result = builder.Call(op, {input, axis}, {{"dtype", builder.Type(input)}});
    return {reverse ? builder.Call("aten::flip", {result, Axes{axis}}) : result};
  };
}

}  // namespace

void AddReductions(OnnxOperators& all) {
  all["ReduceMean"] = Reduce(AsIs, Call("aten::mean"));
  all["ReduceSum"] = Reduce(AsIs, Sum);
  all["ReduceMax"] = Reduce(AsIs, Extreme("aten::amax", /*largest=*/true));
  all["ReduceMin"] = Reduce(AsIs, Extreme("aten::amin", /*largest=*/false));
  all["ReduceProd"] = Reduce(AsIs, Product);
  all["ReduceL1"] = Reduce(Each("aten::abs"), Sum);
  all["ReduceL2"] = Reduce(Squared, Sum, Each("aten::sqrt"));
  all["ReduceSumSquare"] = Reduce(Squared, Sum);
  all["ReduceLogSum"] = Reduce(AsIs, Sum, Each("aten::log"));
  all["ReduceLogSumExp"] = Reduce(AsIs, Call("aten::logsumexp"));
  all["ArgMax"] = Position("aten::argmax");
  all["ArgMin"] = Position("aten::argmin");
  all["TopK"] = TopK;
  all["CumSum"] = Running("aten::cumsum", 0);
  all["CumProd"] = Running("aten::cumprod", 1);
}

}  // namespace bitplan::network
