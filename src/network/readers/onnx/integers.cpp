// Arithmetic of sizes: what exporters write as operators on small tensors of int64.
#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>

#include "readers/onnx/node.h"

namespace bitplan::network {

namespace {

using torch::jit::Value;
using Integers = std::vector<Value*>;
using Result = std::optional<OnnxValue>;

/// Of an input that is known where it is given.
Integers KnownOf(const OnnxNode& node, std::size_t index) {
  const auto known = IntegersOf(node.input(index), node.builder());
  if (!known) node.Refuse(fmt::format("its input {} is computed in each run; only integers of sizes go there", index));
  return *known;
}

bool IsOneNumber(const OnnxNode& node, std::size_t index) {
  const OnnxValue& input = node.input(index);
  return input.integers ? input.is_scalar : node.builder().Rank(input.tensor) == 0;
}

/// Two lists of the same length, or one of them of one number, which goes with none, too.
Result ElementwiseOfIntegers(const OnnxNode& node, const char* op) {
  const Integers first = KnownOf(node, 0), second = KnownOf(node, 1);
  if (first.size() != second.size() && first.size() != 1 && second.size() != 1) return std::nullopt;
  Integers results;
  for (std::size_t i = 0; i < (first.size() == 1 ? second : first).size(); ++i)
    results.push_back(node.builder().Call(op, {first[first.size() == 1 ? 0 : i], second[second.size() == 1 ? 0 : i]}));
  return OnnxValue::OfIntegers(std::move(results), IsOneNumber(node, 0) && IsOneNumber(node, 1));
}

Result GatherOfIntegers(const OnnxNode& node) {
  const Integers from = KnownOf(node, 0);
  const auto indices = node.builder().ConstantOf(node.Input(1));
  if (!indices || indices->toTensor().dim() > 1) return std::nullopt;
  Integers taken;
  for (std::int64_t index : node.ConstantIntegers(1)) {
    if (index < 0) index += static_cast<std::int64_t>(from.size());
    if (index < 0 || index >= static_cast<std::int64_t>(from.size()))
      node.Refuse("it takes a size of an axis that is not there");
    taken.push_back(from[static_cast<std::size_t>(index)]);
  }
  return OnnxValue::OfIntegers(std::move(taken), indices->toTensor().dim() == 0);
}

Result SliceOfIntegers(const OnnxNode& node) {
  const Integers from = KnownOf(node, 0);
  const auto number = [&](std::size_t input, const char* attribute, std::int64_t otherwise) {
    if (!node.HasAttribute(attribute) && !node.Has(input)) return std::optional(otherwise);
    const auto given = node.HasAttribute(attribute) ? node.Ints(attribute) : node.ConstantIntegers(input);
    return given.size() == 1 ? std::optional(given[0]) : std::nullopt;
  };
  for (const std::size_t i : {1, 2, 4})
    if (node.Has(i) && !node.builder().ConstantOf(node.Input(i))) return std::nullopt;
  const auto first = number(1, "starts", 0), last = number(2, "ends", static_cast<std::int64_t>(from.size()));
  if (!first || !last || number(4, "steps", 1) != 1) return std::nullopt;
  const auto size = static_cast<std::int64_t>(from.size());
  const auto clamp = [size](std::int64_t at) { return std::clamp<std::int64_t>(at < 0 ? at + size : at, 0, size); };
  const std::int64_t start = clamp(*first), end = std::max(start, clamp(*last));
  return OnnxValue::OfIntegers({from.begin() + start, from.begin() + end});
}

Result ConcatOfIntegers(const OnnxNode& node) {
  Integers all;
  for (std::size_t i = 0; i < node.inputs(); ++i) {
    const auto part = node.KnownIntegers(i);
    if (!part) return std::nullopt;
    all.insert(all.end(), part->begin(), part->end());
  }
  return OnnxValue::OfIntegers(std::move(all));
}

/// Whether two integers are equal, where that is known before a run: a size is not negative.
std::optional<bool> AreEqual(OnnxBuilder& builder, const Value* a, const Value* b) {
  const auto first = builder.ConstantOf(a), second = builder.ConstantOf(b);
  if (first && second) return first->toInt() == second->toInt();
  if ((first && first->toInt() < 0) || (second && second->toInt() < 0)) return false;
  return a == b ? std::optional(true) : std::nullopt;
}

Result EqualOfIntegers(const OnnxNode& node) {
  const Integers first = KnownOf(node, 0), second = KnownOf(node, 1);
  if (first.size() != second.size() && second.size() != 1) return std::nullopt;
  std::vector<std::int64_t> equal;
  for (std::size_t i = 0; i < first.size(); ++i) {
    const auto known = AreEqual(node.builder(), first[i], second[second.size() == 1 ? 0 : i]);
    if (!known) return std::nullopt;
    equal.push_back(*known ? 1 : 0);
  }
  const at::Tensor values = at::tensor(equal, at::kLong).to(at::kBool);
  return OnnxValue(node.builder().Constant(IsOneNumber(node, 0) ? values[0] : values));
}

Result WhereOfIntegers(const OnnxNode& node) {
  const auto condition = node.builder().ConstantOf(node.Input(0));
  const auto first = node.KnownIntegers(1), second = node.KnownIntegers(2);
  if (!condition || !first || !second) return std::nullopt;
  const at::Tensor choice = condition->toTensor().cpu().flatten();
  const auto size = static_cast<std::size_t>(choice.numel());
  Integers chosen;
  for (std::size_t i = 0; i < size; ++i) {
    const Integers& from = choice[static_cast<std::int64_t>(i)].item<bool>() ? *first : *second;
    if (from.size() != size && from.size() != 1) return std::nullopt;
    chosen.push_back(from[from.size() == 1 ? 0 : i]);
  }
  return OnnxValue::OfIntegers(std::move(chosen), condition->toTensor().dim() == 0);
}

Result ProductOfIntegers(const OnnxNode& node) {
  Value* product = node.builder().Constant(1);
  const Integers factors = KnownOf(node, 0);
  for (Value* const factor : factors) product = node.builder().Call("aten::mul", {product, factor});
  return OnnxValue::OfIntegers({product}, node.Int("keepdims", 1) == 0);
}

Result ReshapeOfIntegers(const OnnxNode& node) {
  const Integers integers = KnownOf(node, 0);
  const auto shape = node.KnownIntegers(1);
  if (!shape || shape->size() > 1 || integers.size() != 1)
    return shape && shape->size() == 1 ? Result(OnnxValue::OfIntegers(integers)) : std::nullopt;
  return OnnxValue::OfIntegers(integers, shape->empty());
}

Result CastOfIntegers(const OnnxNode& node) {
  const std::int64_t to = node.Int("to", 0);
  if (to != static_cast<std::int64_t>(onnx::ElementType::Int64)) return std::nullopt;
  return node.input(0);
}

}  // namespace

Result OnIntegers(const OnnxNode& node) {
  bool of_sizes = false, all = true;
  for (std::size_t i = 0; i < node.inputs(); ++i) {
    if (!node.Has(i)) continue;
    of_sizes |= node.input(i).integers.has_value();
    all &= node.KnownIntegers(i).has_value();
  }
  const std::string& op = node.node().op;
  if (!of_sizes) return std::nullopt;
  if (op == "Where") return WhereOfIntegers(node);
  if (!all) return std::nullopt;
  if (op == "Gather" && node.input(0).integers) return GatherOfIntegers(node);
  if (op == "Slice" && node.input(0).integers) return SliceOfIntegers(node);
  if (op == "Concat") return ConcatOfIntegers(node);
  if (op == "Unsqueeze" && node.input(0).is_scalar) return OnnxValue::OfIntegers(*node.input(0).integers);
  if (op == "Squeeze" && node.input(0).integers && node.input(0).integers->size() == 1)
    return OnnxValue::OfIntegers(*node.input(0).integers, /*is_scalar=*/true);
  if (op == "Reshape" && node.input(0).integers) return ReshapeOfIntegers(node);
  if (op == "Cast") return CastOfIntegers(node);
  if (op == "Equal") return EqualOfIntegers(node);
  if (op == "ReduceProd") return ProductOfIntegers(node);
  static const std::map<std::string, const char*> kArithmetic{
      {"Add", "aten::add"},       {"Sub", "aten::sub"}, {"Mul", "aten::mul"}, {"Div", "aten::floordiv"},
      {"Mod", "aten::remainder"}, {"Max", "prim::max"}, {"Min", "prim::min"}};
  const auto found = kArithmetic.find(op);
  if (found == kArithmetic.end() || node.inputs() != 2) return std::nullopt;
  return ElementwiseOfIntegers(node, found->second);
}

}  // namespace bitplan::network
