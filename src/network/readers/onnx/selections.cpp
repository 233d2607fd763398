// Operators that select elements by what tensors hold, or reorder them: Compress, Unique, ReverseSequence; EyeLike.
#include <ATen/ATen.h>

#include "readers/onnx/node.h"

namespace bitplan::network {

namespace {

using torch::jit::Value;
using Results = std::vector<OnnxValue>;
using Axes = std::vector<std::int64_t>;

Value* CountTo(OnnxBuilder& builder, Value* end) {
  return builder.Call("aten::arange", {end}, {{"dtype", at::kLong}, {"device", builder.device()}});
}

Results Compress(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  const bool has_axis = node.HasAttribute("axis");
  Value* const input = has_axis ? node.Input(0) : builder.Call("aten::reshape", {node.Input(0), Axes{-1}});
  const std::int64_t axis = has_axis ? builder.Axis(input, node.Int("axis", 0)) : 0;
  Value* const kept = builder.Call("aten::select", {builder.Call("aten::nonzero", {node.Input(1)}), 1, 0});
  return {builder.Call("aten::index_select", {input, axis, kept})};
}

/// The distinct elements, or slices along an axis; where each occurs first, which of them each element is, how many.
Results Unique(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  const bool has_axis = node.HasAttribute("axis");
  Value* const input = has_axis ? node.Input(0) : builder.Call("aten::reshape", {node.Input(0), Axes{-1}});
  const std::int64_t axis = has_axis ? builder.Axis(input, node.Int("axis", 0)) : 0;
  const auto found = builder.CallForAll("aten::unique_dim", {input, axis, true, true, true});
  Value *values = found[0], *inverse = found[1], *counts = found[2];
  Value* const places = CountTo(builder, builder.Size(input, axis));
  Value* const later = builder.Call("aten::zeros_like", {counts});
  Value* first = builder.Call("aten::scatter_reduce", {later, 0, inverse, places, "amin"}, {{"include_self", false}});
  if (node.Int("sorted", 1) == 0) {
    Value* const order = builder.Call("aten::argsort", {first});
    values = builder.Call("aten::index_select", {values, axis, order});
    counts = builder.Call("aten::index_select", {counts, 0, order});
    first = builder.Call("aten::index_select", {first, 0, order});
    inverse = builder.Call("aten::index_select", {builder.Call("aten::argsort", {order}), 0, inverse});
  }
  return {values, first, inverse, counts};
}

/// Of each sample the first steps in reverse, as many as it has.
Results ReverseSequence(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  Value* const input = node.Input(0);
  const std::int64_t batch = node.Int("batch_axis", 1), time = node.Int("time_axis", 0);
  if (batch + time != 1 || batch * time != 0) node.Refuse("its axes are not the first two");
  Value* const steps = builder.Call("aten::unsqueeze", {CountTo(builder, builder.Size(input, time)), batch});
  Value* const lengths = builder.Call("aten::unsqueeze", {node.Input(1), time});
  Value* const mirrored = builder.Call("aten::sub", {builder.Call("aten::sub", {lengths, 1}), steps});
  Value* places = builder.Call("aten::where", {builder.Call("aten::lt", {steps, lengths}), mirrored, steps});
  for (std::int64_t axis = 2; axis < builder.Rank(input); ++axis)
    places = builder.Call("aten::unsqueeze", {places, -1});
  return {builder.Call("aten::gather", {input, time, builder.Call("aten::expand_as", {places, input})})};
}

Results EyeLike(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  Value* const input = node.Input(0);
  if (builder.Rank(input) != 2) node.Refuse("its input is no matrix");
  const at::ScalarType type =
      node.HasAttribute("dtype") ? OnnxType(static_cast<onnx::ElementType>(node.Int("dtype", 1))) : builder.Type(input);
  Value* const rows = builder.Call("aten::unsqueeze", {CountTo(builder, builder.Size(input, 0)), 1});
  Value* const columns = CountTo(builder, builder.Size(input, 1));
  Value* const diagonal = builder.Call("aten::eq", {builder.Call("aten::sub", {columns, rows}), node.Int("k", 0)});
  return {builder.Call("aten::to", {diagonal, type, false, false})};
}

}  // namespace

void AddSelections(OnnxOperators& all) {
  all["Compress"] = Compress;
  all["Unique"] = Unique;
  all["ReverseSequence"] = ReverseSequence;
  all["EyeLike"] = EyeLike;
}

}  // namespace bitplan::network
