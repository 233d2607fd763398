// Operators that change axes and sizes, and those that ask for sizes.
#include <algorithm>

#include "readers/onnx/node.h"

namespace bitplan::network {

namespace {

using torch::jit::Value;
using Results = std::vector<OnnxValue>;
using Axes = std::vector<std::int64_t>;

/// 0 stands for the input's size, unless the node says otherwise.
Results Reshape(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  Value* const input = node.Input(0);
  std::vector<Value*> sizes = node.Integers(1);
  for (std::size_t i = 0; i < sizes.size() && node.Int("allowzero", 0) == 0; ++i) {
    const auto fixed = builder.ConstantOf(sizes[i]);
    if (fixed && fixed->toInt() == 0) sizes[i] = builder.Size(input, static_cast<std::int64_t>(i));
  }
  return {builder.Call("aten::reshape", {input, builder.Integers(sizes)})};
}

Results Flatten(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  Value* const input = node.Input(0);
  const std::int64_t rank = builder.Rank(input), wanted = node.Int("axis", 1);
  const std::int64_t axis = wanted == rank ? rank : builder.Axis(input, wanted);
  if (axis == 1 && rank > 1) return {builder.Call("aten::flatten", {input, 1, -1})};
  if (axis == rank) return {builder.Call("aten::reshape", {input, Axes{-1, 1}})};
  if (axis == 0) return {builder.Call("aten::reshape", {input, Axes{1, -1}})};
  return {builder.Call("aten::flatten", {builder.Call("aten::flatten", {input, axis, -1}), 0, axis - 1})};
}

Results Squeeze(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  const auto axes = node.Axes(1);
  if (axes) return {builder.Call("aten::squeeze", {node.Input(0), *axes})};
  Axes ones;
  for (std::int64_t axis = 0; axis < builder.Rank(node.Input(0)); ++axis)
    if (builder.FixedSize(node.Input(0), axis) == 1) ones.push_back(axis);
  return {builder.Call("aten::squeeze", {node.Input(0), ones})};
}

Results Unsqueeze(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  Axes axes = node.Axes(1).value_or(Axes());
  for (std::int64_t& axis : axes) axis = builder.Axis(node.Input(0), axis, static_cast<std::int64_t>(axes.size()));
  std::sort(axes.begin(), axes.end());
  Value* result = node.Input(0);
  for (const std::int64_t axis : axes) result = builder.Call("aten::unsqueeze", {result, axis});
  return {result};
}

Results Transpose(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  Axes order = node.Ints("perm");
  if (!node.HasAttribute("perm"))
    for (std::int64_t axis = builder.Rank(node.Input(0)); axis-- > 0;) order.push_back(axis);
  return {builder.Call("aten::permute", {node.Input(0), order})};
}

/// Sizes broadcast both ways: where the input's is not 1, it stays.
Results Expand(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  Value* const input = node.Input(0);
  std::vector<Value*> sizes = node.Integers(1);
  const auto rank = static_cast<std::size_t>(builder.Rank(input));
  while (sizes.size() < rank) sizes.insert(sizes.begin(), builder.Constant(1));
  for (std::size_t i = 0; i < rank; ++i) {
    Value*& size = sizes[sizes.size() - rank + i];
    const auto axis = static_cast<std::int64_t>(i);
    const auto own = builder.FixedSize(input, axis);
    const auto wanted = builder.ConstantOf(size);
    if (own && *own == 1) continue;
    if (own || (wanted && wanted->toInt() == 1)) {
      size = builder.Constant(-1);
    } else if (!wanted) {  // one of the two is 1, or both are the same
      size = builder.Call("prim::max", {size, builder.Size(input, axis)});
    }
  }
  return {builder.Call("aten::expand", {input, builder.Integers(sizes)})};
}

Results Concat(const OnnxNode& node) {
  std::vector<Value*> parts;
  for (std::size_t i = 0; i < node.inputs(); ++i) parts.push_back(node.Input(i));
  const std::int64_t axis = node.Int("axis", 1);  // an attribute that must be given, but for operator sets before 4
  for (Value* const part : parts)
    if (node.builder().ExamplesOf(part)) node.builder().Axis(part, axis);
  return {node.builder().Call("aten::cat", {node.builder().Tensors(parts), axis})};
}

/// Equal parts, the last one perhaps smaller.
Value* EvenSplit(const OnnxNode& node, std::int64_t axis) {
  OnnxBuilder& builder = node.builder();
  const auto count = static_cast<std::int64_t>(node.outputs());
  Value* const size = builder.Size(node.Input(0), axis);
  Value* const rounded = builder.Call("aten::add", {size, count - 1});
  return builder.Call("aten::split", {node.Input(0), builder.Call("aten::floordiv", {rounded, count}), axis});
}

Results Split(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  const std::int64_t axis = builder.Axis(node.Input(0), node.Int("axis", 0));
  const std::size_t count = node.outputs();
  Value* parts = nullptr;
  if (node.Has(1) || node.HasAttribute("split")) {
    Value* const sizes = node.Has(1) ? builder.Integers(node.Integers(1)) : builder.Constant(node.Ints("split"));
    parts = builder.Call("aten::split_with_sizes", {node.Input(0), sizes, axis});
  } else {
    parts = EvenSplit(node, axis);
  }
  Results results;
  for (Value* const part : builder.Unpack(parts, count)) results.emplace_back(part);
  return results;
}

Results Shape(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  if (node.input(0).integers)
    return {OnnxValue::OfIntegers({builder.Constant(static_cast<std::int64_t>(node.input(0).integers->size()))})};
  const std::vector<Value*> sizes = builder.Sizes(node.Input(0));
  const auto rank = static_cast<std::int64_t>(sizes.size());
  const auto clamp = [rank](std::int64_t at) { return std::clamp<std::int64_t>(at < 0 ? at + rank : at, 0, rank); };
  const std::int64_t start = clamp(node.Int("start", 0)), end = std::max(start, clamp(node.Int("end", rank)));
  return {OnnxValue::OfIntegers({sizes.begin() + start, sizes.begin() + end})};
}

Results Size(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  if (node.input(0).integers) {
    const auto count = static_cast<std::int64_t>(node.input(0).integers->size());
    return {OnnxValue::OfIntegers({builder.Constant(count)}, /*is_scalar=*/true)};
  }
  Value* elements = builder.Constant(1);
  for (Value* const size : builder.Sizes(node.Input(0))) elements = builder.Call("aten::mul", {elements, size});
  return {OnnxValue::OfIntegers({elements}, /*is_scalar=*/true)};
}

Results ConstantOfShape(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  const auto found = node.node().attributes.find("value");
  at::Tensor value = at::zeros({1});
  if (found != node.node().attributes.end()) value = OnnxTensor(std::get<onnx::Tensor>(found->second));
  if (value.numel() != 1) node.Refuse("its value is not one number");
  return {builder.Call("aten::full", {builder.Integers(node.Integers(0)), value.item()},
                       {{"dtype", value.scalar_type()}, {"device", builder.device()}})};
}

Results Range(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  const at::ScalarType type = builder.Type(node.Input(0));
  OnnxBuilder::Arguments bounds;
  for (std::size_t i = 0; i < 3; ++i) {
    if (const auto known = node.KnownIntegers(i)) {
      bounds.emplace_back(node.Integer(i));
    } else if (const auto constant = builder.ConstantOf(node.Input(i))) {
      bounds.emplace_back(constant->toTensor().cpu().item());
    } else {
      bounds.emplace_back(builder.Call(at::isFloatingType(type) ? "aten::Float" : "aten::Int", {node.Input(i)}));
    }
  }
  return {builder.Call("aten::arange", bounds, {{"dtype", type}, {"device", builder.device()}})};
}

/// Blocks of channels to blocks of space; the order of the axes is the node's.
Results DepthToSpace(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  const std::int64_t block = node.Int("blocksize", 1);
  if (node.Text("mode", "DCR") == "CRD") return {builder.Call("aten::pixel_shuffle", {node.Input(0), block})};
  Value* const blocks =
      builder.Call("aten::unflatten", {node.Input(0), 1, Axes{block, block, -1}});  // [N, b, b, C, H, W]
  Value* const beside = builder.Call("aten::permute", {blocks, Axes{0, 3, 4, 1, 5, 2}});
  return {builder.Call("aten::flatten", {builder.Call("aten::flatten", {beside, 4, 5}), 2, 3})};
}

Results SpaceToDepth(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  const std::int64_t block = node.Int("blocksize", 1);
  Value* const rows = builder.Call("aten::unflatten", {node.Input(0), 2, Axes{-1, block}});
  Value* const blocks = builder.Call("aten::unflatten", {rows, 4, Axes{-1, block}});  // [N, C, H, b, W, b]
  const Axes order = node.Text("mode", "DCR") == "CRD" ? Axes{0, 1, 3, 5, 2, 4} : Axes{0, 3, 5, 1, 2, 4};
  return {builder.Call("aten::flatten", {builder.Call("aten::permute", {blocks, order}), 1, 3})};
}

Results Dropout(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  if (node.Has(2) && node.ConstantNumber(2) != 0) node.Refuse("it is in training mode; export the model for inference");
  Results results{node.input(0)};
  if (node.HasOutput(1)) results.emplace_back(builder.Call("aten::ones_like", {node.Input(0)}, {{"dtype", at::kBool}}));
  return results;
}

Results Convert(const OnnxNode& node, at::ScalarType type) {
  OnnxBuilder& builder = node.builder();
  if (builder.Type(node.Input(0)) == type) return {node.Input(0)};
  return {builder.Call("aten::to", {node.Input(0), type, false, false})};
}

}  // namespace

void AddShapes(OnnxOperators& all) {
  all["Reshape"] = Reshape;
  all["Flatten"] = Flatten;
  all["Squeeze"] = Squeeze;
  all["Unsqueeze"] = Unsqueeze;
  all["Transpose"] = Transpose;
  all["Expand"] = Expand;
  all["Concat"] = Concat;
  all["Split"] = Split;
  all["Shape"] = Shape;
  all["Size"] = Size;
  all["ConstantOfShape"] = ConstantOfShape;
  all["Range"] = Range;
  all["DepthToSpace"] = DepthToSpace;
  all["SpaceToDepth"] = SpaceToDepth;
  all["Dropout"] = Dropout;
  all["Identity"] = [](const OnnxNode& node) -> Results { return {node.input(0)}; };
  all["Tile"] = [](const OnnxNode& node) -> Results {
    return {node.builder().Call("aten::repeat", {node.Input(0), node.builder().Integers(node.Integers(1))})};
  };
  all["Cast"] = [](const OnnxNode& node) {
    return Convert(node, OnnxType(static_cast<onnx::ElementType>(node.Int("to", 0))));
  };
  all["CastLike"] = [](const OnnxNode& node) { return Convert(node, node.builder().Type(node.Input(1))); };
}

}  // namespace bitplan::network
