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

/// The indices along the axes from `first` on, which stand side by side on the last axis.
std::vector<Value*> IndicesOf(const OnnxNode& node, Value* input, Value* indices, std::int64_t first) {
  OnnxBuilder& builder = node.builder();
  const auto count = builder.FixedSize(indices, builder.Rank(indices) - 1);
  if (!count || first + *count > builder.Rank(input)) node.Refuse("how many axes it indexes is not fixed, or too many");
  std::vector<Value*> parts;
  for (std::int64_t i = 0; i < *count; ++i)
    parts.push_back(FromFront(builder, builder.Call("aten::select", {indices, -1, i}), input, first + i));
  return parts;
}

Value* IndexList(OnnxBuilder& builder, const std::vector<Value*>& parts) {
  return builder.graph()
      .insertNode(builder.graph().createList(c10::OptionalType::create(c10::TensorType::get()), parts))
      ->output();
}

/// The first axes of both are of batches: each takes of its own.
Results GatherNd(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  Value *const input = node.Input(0), *const indices = node.Input(1);
  const std::int64_t batches = node.Int("batch_dims", 0), rank = builder.Rank(indices);
  if (batches < 0 || batches >= rank || batches >= builder.Rank(input)) node.Refuse("it has no such batch_dims");
  std::vector<Value*> parts;
  for (std::int64_t axis = 0; axis < batches; ++axis) {
    Value* own =
        builder.Call("aten::arange", {builder.Size(input, axis)}, {{"dtype", at::kLong}, {"device", builder.device()}});
    for (std::int64_t after = axis + 1; after < rank - 1; ++after) own = builder.Call("aten::unsqueeze", {own, -1});
    parts.push_back(own);
  }
  const auto others = IndicesOf(node, input, indices, batches);
  parts.insert(parts.end(), others.begin(), others.end());
  return {builder.Call("aten::index", {input, IndexList(builder, parts)})};
}

/// What Scatter's operators do where several updates meet, and ATen's name for it.
const std::string& ReductionOf(const OnnxNode& node) {
  static const std::map<std::string, std::string> reductions{
      {"none", ""}, {"add", "sum"}, {"mul", "prod"}, {"max", "amax"}, {"min", "amin"}};
  const auto found = reductions.find(node.Text("reduction", "none"));
  if (found == reductions.end()) node.Refuse("the reduction '" + node.Text("reduction", "") + "' is not known");
  return found->second;
}

Results ScatterNd(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  Value *const input = node.Input(0), *const updates = node.Input(2);
  const std::string& reduction = ReductionOf(node);
  const std::vector<Value*> parts = IndicesOf(node, input, node.Input(1), 0);
  if (reduction.empty() || reduction == "sum")
    return {builder.Call("aten::index_put", {input, IndexList(builder, parts), updates, reduction == "sum"})};
  Value* rows = parts.at(0);  // of the indexed axes as one
  const auto count = static_cast<std::int64_t>(parts.size());
  for (std::int64_t axis = 1; axis < count; ++axis)
    rows = builder.Call("aten::add", {builder.Call("aten::mul", {rows, builder.Size(input, axis)}),
                                      parts[static_cast<std::size_t>(axis)]});
  const std::int64_t rest = builder.Rank(input) - count;
  Value* const flat = count > 1 ? builder.Call("aten::flatten", {input, 0, count - 1}) : input;
  rows = builder.Call("aten::reshape", {rows, Axes{-1}});
  const std::int64_t outer = builder.Rank(updates) - rest;
  Value* const lines = outer == 0   ? builder.Call("aten::unsqueeze", {updates, 0})
                       : outer == 1 ? updates
                                    : builder.Call("aten::flatten", {updates, 0, outer - 1});
  for (std::int64_t i = 0; i < rest; ++i) rows = builder.Call("aten::unsqueeze", {rows, -1});
  Value* const places = builder.Call("aten::expand_as", {rows, lines});
  return {builder.Call("aten::view_as",
                       {builder.Call("aten::scatter_reduce", {flat, 0, places, lines, reduction}), input})};
}

Results ScatterElements(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  Value* const input = node.Input(0);
  const std::int64_t axis = builder.Axis(input, node.Int("axis", 0));
  Value* const indices = FromFront(builder, node.Input(1), input, axis);
  const std::string& reduction = ReductionOf(node);
  if (reduction.empty()) return {builder.Call("aten::scatter", {input, axis, indices, node.Input(2)})};
  return {builder.Call("aten::scatter_reduce", {input, axis, indices, node.Input(2), reduction})};
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
  Value* const diagonal = node.Has(1) ? node.Integer(1) : builder.Constant(0);
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
