// Slice, Gather, Scatter and the like.
#include <ATen/ATen.h>

#include <limits>

#include "readers/onnx/node.h"

namespace bitplan::network {

namespace {

using torch::jit::Value;
using Results = std::vector<OnnxValue>;
using Axes = std::vector<std::int64_t>;

Value* MirroredPosition(OnnxBuilder& builder, Value* position) {
  return builder.Call("aten::sub", {-1, position});  // of an axis read from its end, where −1 − i stands for i
}

Value* SliceAxis(OnnxBuilder& builder, Value* input, std::int64_t axis, Value* start, Value* end, std::int64_t step) {
  if (step > 0) return builder.Call("aten::slice", {input, axis, start, end, step});
  Value* const mirrored = builder.Call("aten::flip", {input, Axes{axis}});
  return builder.Call("aten::slice",
                      {mirrored, axis, MirroredPosition(builder, start), MirroredPosition(builder, end), -step});
}

Results Slice(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  const auto numbers = [&](std::size_t index, const char* attribute) {
    if (!node.HasAttribute(attribute)) return node.Has(index) ? node.Integers(index) : std::vector<Value*>();
    std::vector<Value*> constants;
    for (const std::int64_t number : node.Ints(attribute)) constants.push_back(builder.Constant(number));
    return constants;
  };
  const auto starts = numbers(1, "starts"), ends = numbers(2, "ends");
  if (starts.size() != ends.size()) node.Refuse("it has other numbers of starts than of ends");
  Axes axes = node.HasAttribute("axes") ? node.Ints("axes") : node.Has(3) ? node.ConstantIntegers(3) : Axes();
  const Axes steps = node.Has(4) ? node.ConstantIntegers(4) : Axes(starts.size(), 1);
  for (std::size_t i = axes.size(); i < starts.size(); ++i) axes.push_back(static_cast<std::int64_t>(i));
  if (steps.size() != starts.size() || axes.size() != starts.size())
    node.Refuse("it has other numbers of axes or steps than of starts");
  Value* result = node.Input(0);
  for (std::size_t i = 0; i < starts.size(); ++i) {
    if (steps[i] == 0) node.Refuse("a step is 0");
    result = SliceAxis(builder, result, builder.Axis(result, axes[i]), starts[i], ends[i], steps[i]);
  }
  return {result};
}

/// Indices of int64 in which negative ones are counted from the end of an axis.
Value* FromFront(OnnxBuilder& builder, Value* indices, Value* input, std::int64_t axis) {
  if (builder.Type(indices) != at::kLong) indices = builder.Call("aten::to", {indices, at::kLong, false, false});
  if (const auto constant = builder.ConstantOf(indices))
    if (constant->toTensor().numel() == 0 || constant->toTensor().min().item<std::int64_t>() >= 0) return indices;
  Value* const counted = builder.Call("aten::add", {indices, builder.Size(input, axis)});
  return builder.Call("aten::where", {builder.Call("aten::lt", {indices, 0}), counted, indices});
}

Results Gather(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  Value* const input = node.Input(0);
  const std::int64_t axis = builder.Axis(input, node.Int("axis", 0));
  const std::int64_t rank = builder.Rank(node.Input(1));
  if (rank == 0)
    if (const auto known = node.KnownIntegers(1)) return {builder.Call("aten::select", {input, axis, known->front()})};
  Value* const indices = FromFront(builder, node.Input(1), input, axis);
  if (axis == 0 && builder.Rank(input) == 2 && at::isFloatingType(builder.Type(input)))
    return {builder.Call("aten::embedding", {input, indices})};
  if (rank == 1) return {builder.Call("aten::index_select", {input, axis, indices})};
  Value* const flat = builder.Call("aten::reshape", {indices, Axes{-1}});
  Value* const taken = builder.Call("aten::index_select", {input, axis, flat});
  if (rank == 0) return {builder.Call("aten::squeeze", {taken, Axes{axis}})};
  return {builder.Call("aten::unflatten", {taken, axis, builder.Integers(builder.Sizes(indices))})};
}

Results GatherElements(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  const std::int64_t axis = builder.Axis(node.Input(0), node.Int("axis", 0));
  return {builder.Call("aten::gather", {node.Input(0), axis, FromFront(builder, node.Input(1), node.Input(0), axis)})};
}

/// The indices along each axis, which stand side by side on the last axis.
Value* IndexList(const OnnxNode& node, Value* indices) {
  OnnxBuilder& builder = node.builder();
  const auto count = builder.FixedSize(indices, builder.Rank(indices) - 1);
  if (!count) node.Refuse("how many axes it indexes is not fixed");
  std::vector<Value*> parts;
  for (std::int64_t i = 0; i < *count; ++i)
    parts.push_back(
        builder.Call("aten::to", {builder.Call("aten::select", {indices, -1, i}), at::kLong, false, false}));
  return builder.graph()
      .insertNode(builder.graph().createList(c10::OptionalType::create(c10::TensorType::get()), parts))
      ->output();
}

Results GatherNd(const OnnxNode& node) {
  if (node.Int("batch_dims", 0) != 0) node.Refuse("batch_dims is not read");
  return {node.builder().Call("aten::index", {node.Input(0), IndexList(node, node.Input(1))})};
}

Results ScatterNd(const OnnxNode& node) {
  const std::string reduction = node.Text("reduction", "none");
  if (reduction != "none" && reduction != "add") node.Refuse("the reduction '" + reduction + "' is not read");
  return {node.builder().Call("aten::index_put",
                              {node.Input(0), IndexList(node, node.Input(1)), node.Input(2), reduction == "add"})};
}

Results ScatterElements(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  Value* const input = node.Input(0);
  const std::int64_t axis = builder.Axis(input, node.Int("axis", 0));
  Value* const indices = FromFront(builder, node.Input(1), input, axis);
  const std::string reduction = node.Text("reduction", "none");
  if (reduction == "none") return {builder.Call("aten::scatter", {input, axis, indices, node.Input(2)})};
  static const std::map<std::string, std::string> reductions{
      {"add", "sum"}, {"mul", "prod"}, {"max", "amax"}, {"min", "amin"}};
  const auto found = reductions.find(reduction);
  if (found == reductions.end()) node.Refuse("the reduction '" + reduction + "' is not known");
  return {builder.Call("aten::scatter_reduce", {input, axis, indices, node.Input(2), found->second})};
}

Results OneHot(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  const auto depth = static_cast<std::int64_t>(node.ConstantNumber(1));
  Value* const indices = builder.Call("aten::to", {node.Input(0), at::kLong, false, false});
  Value* const counted = builder.Call(
      "aten::where", {builder.Call("aten::lt", {indices, 0}), builder.Call("aten::add", {indices, depth}), indices});
  const std::int64_t axis = builder.Axis(indices, node.Int("axis", -1), 1);
  Value* const classes = builder.Constant(at::arange(depth));
  Value* const hot = builder.Call("aten::eq", {builder.Call("aten::unsqueeze", {counted, -1}), classes});
  Value* const off = builder.Call("aten::select", {node.Input(2), 0, 0});
  Value* const on = builder.Call("aten::select", {node.Input(2), 0, 1});
  return {builder.Call("aten::movedim", {builder.Call("aten::where", {hot, on, off}), -1, axis})};
}

Results Triangle(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  Value* const diagonal = node.Has(1) ? node.Integers(1).front() : builder.Constant(0);
  return {builder.Call(node.Int("upper", 1) != 0 ? "aten::triu" : "aten::tril", {node.Input(0), diagonal})};
}

}  // namespace

void AddIndexing(OnnxOperators& all) {
  all["Slice"] = Slice;
  all["Gather"] = Gather;
  all["GatherElements"] = GatherElements;
  all["GatherND"] = GatherNd;
  all["ScatterND"] = ScatterNd;
  all["ScatterElements"] = ScatterElements;
  all["Scatter"] = ScatterElements;
  all["OneHot"] = OneHot;
  all["Trilu"] = Triangle;
  all["NonZero"] = [](const OnnxNode& node) -> Results {
    return {node.builder().Call("aten::t", {node.builder().Call("aten::nonzero", {node.Input(0)})})};
  };
}

}  // namespace bitplan::network
