#include "readers/onnx/builder.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <torch/csrc/jit/ir/constants.h>

#include <algorithm>

#include "bitplan/error.h"
#include "network/lowered_graph.h"
#include "readers/onnx/example_run.h"

namespace bitplan::network {

using torch::jit::Node;
using torch::jit::Value;

namespace {

constexpr std::int64_t kMostFoldedElements = std::int64_t{1} << 20;

/// Elements that constants alone may make: beyond, a file's size is a mistake or an attack.
constexpr std::int64_t kMostConstantElements = std::int64_t{1} << 27;

bool IsListConstruct(const Value* value) { return value->node()->kind() == c10::prim::ListConstruct; }

/// A list of the graph's type, of what its items are.
c10::IValue ListOf(const Value* list, const std::vector<c10::IValue>& items) {
  c10::impl::GenericList result(list->type()->expectRef<c10::ListType>().getElementType());
  for (const c10::IValue& item : items) result.push_back(item);
  return result;
}

bool IsSmall(const c10::IValue& value) {
  if (value.isTensor()) return value.toTensor().numel() <= kMostFoldedElements;
  return true;
}

/// By the sizes alone: an operator on a few numbers can ask for any size.
bool MakesLarge(const Node* node, const std::vector<c10::IValue>& operands) {
  const auto results = RunExample(node, operands);
  if (!results) return false;
  for (const c10::IValue& result : *results)
    if (result.isTensor() && result.toTensor().numel() > kMostConstantElements)
      throw Error(fmt::format("it makes {} elements of constants alone", result.toTensor().numel()));
  return !std::all_of(results->begin(), results->end(), IsSmall);
}

}  // namespace

Value* OnnxBuilder::Constant(const c10::IValue& value) {
  return graph_.insertConstant(value.isTensor() ? c10::IValue(value.toTensor().to(device_)) : value);
}

Value* OnnxBuilder::Call(const std::string& op, const Arguments& arguments, const Arguments& named) {
  return CallForAll(op, arguments, named).front();
}

std::vector<Value*> OnnxBuilder::CallForAll(const std::string& op, const Arguments& arguments, const Arguments& named) {
  Value* const result = graph_.insert(c10::Symbol::fromQualString(op), arguments, named);
  Node* node = result->node();
  if (node->kind() == c10::prim::TupleConstruct) {
    Node* const tuple = node;
    node = tuple->inputs()[0]->node();
    tuple->destroy();
  }
  return Finish(node);
}

/// Computes what constants alone make, unless that is large, and finds out about the rest.
std::vector<Value*> OnnxBuilder::Finish(Node* node) {
  const auto operands = Operands(node);
  if (operands && !MakesLarge(node, *operands)) {
    const auto results = RunOperator(node, *operands);
    if (std::all_of(results.begin(), results.end(), IsSmall)) {
      std::vector<Value*> constants;
      for (const c10::IValue& result : results) constants.push_back(Constant(result));
      node->destroy();
      return constants;
    }
  }
  Probe(node);
  return node->outputs().vec();
}

std::optional<std::vector<c10::IValue>> OnnxBuilder::Operands(const Node* node) const {
  std::vector<c10::IValue> operands;
  for (const Value* input : node->inputs()) {
    auto constant = ConstantOf(input);
    if (!constant || !IsSmall(*constant)) return std::nullopt;
    operands.push_back(std::move(*constant));
  }
  return operands;
}

std::optional<c10::IValue> OnnxBuilder::ConstantOf(const Value* value) const {
  if (!IsListConstruct(value)) return torch::jit::toIValue(value);
  std::vector<c10::IValue> items;
  for (const Value* item : value->node()->inputs()) {
    auto constant = ConstantOf(item);
    if (!constant) return std::nullopt;
    items.push_back(std::move(*constant));
  }
  return ListOf(value, items);
}

void OnnxBuilder::Forget(const Value* value) {
  examples_.erase(value);
  guessed_.erase(value);
}

void OnnxBuilder::Discard(Node* node) {
  for (torch::jit::Block* const block : node->blocks()) {
    for (const Value* input : block->inputs()) Forget(input);
    for (Node* const inner : AllNodes(block)) {
      for (const Value* output : inner->outputs()) Forget(output);
      for (const torch::jit::Block* const deeper : inner->blocks())
        for (const Value* input : deeper->inputs()) Forget(input);
    }
  }
  for (const Value* output : node->outputs()) Forget(output);
  node->destroy();
}

std::optional<at::Tensor> OnnxBuilder::KnownTensor(const Value* tensor) const {
  if (const auto found = known_.find(tensor); found != known_.end()) return found->second;
  const auto constant = ConstantOf(tensor);
  return constant && constant->isTensor() ? std::optional(constant->toTensor()) : std::nullopt;
}

std::optional<c10::IValue> OnnxBuilder::Example(const Value* value, std::size_t side) const {
  if (const auto found = examples_.find(value); found != examples_.end()) return found->second[side];
  if (!IsListConstruct(value)) return torch::jit::toIValue(value);
  std::vector<c10::IValue> items;
  for (const Value* item : value->node()->inputs()) {
    auto example = Example(item, side);
    if (!example) return std::nullopt;
    items.push_back(std::move(*example));
  }
  return ListOf(value, items);
}

std::optional<OnnxBuilder::Examples> OnnxBuilder::ExamplesOf(const Value* value) const {
  const auto first = Example(value, 0), second = Example(value, 1);
  return first && second ? std::optional(Examples{*first, *second}) : std::nullopt;
}

bool OnnxBuilder::IsGuessed(const Value* value) const {
  if (guessed_.contains(value)) return true;
  if (!IsListConstruct(value)) return false;
  const auto items = value->node()->inputs();
  return std::any_of(items.begin(), items.end(), [&](const Value* item) { return IsGuessed(item); });
}

/// Where the model was exported for one number of samples, an operator may not go on other sizes: then only those.
void OnnxBuilder::Probe(Node* node) {
  std::array<std::optional<std::vector<c10::IValue>>, 2> results;
  const auto inputs = node->inputs();
  bool guessed = std::any_of(inputs.begin(), inputs.end(), [&](const Value* input) { return IsGuessed(input); });
  for (const std::size_t side : {0, 1}) {
    std::vector<c10::IValue> operands;
    for (const Value* input : inputs) {
      auto example = Example(input, side);
      if (!example) break;
      operands.push_back(std::move(*example));
    }
    if (operands.size() != inputs.size()) continue;
    results[side] = GuessExample(node, operands, side);
    guessed |= results[side].has_value();
    if (!results[side]) results[side] = RunExample(node, operands);
    if (!results[side] && guessed) results[side] = GuessSizes(node, operands, side);
  }
  if (!results[0]) return;
  if (!results[1]) results[1] = results[0];
  for (std::size_t i = 0; i < node->outputs().size(); ++i) {
    examples_[node->outputs()[i]] = {(*results[0])[i], (*results[1])[i]};
    if (guessed) guessed_.insert(node->outputs()[i]);
  }
}

Value* OnnxBuilder::Integers(const std::vector<Value*>& items) {
  std::vector<std::int64_t> numbers;
  for (const Value* item : items)
    if (const auto number = ConstantOf(item)) numbers.push_back(number->toInt());
  if (numbers.size() == items.size()) return Constant(numbers);
  return graph_.insertNode(graph_.createList(c10::IntType::get(), items))->output();
}

Value* OnnxBuilder::Tensors(const std::vector<Value*>& items) {
  return graph_.insertNode(graph_.createList(c10::TensorType::get(), items))->output();
}

std::vector<Value*> OnnxBuilder::Unpack(Value* list, std::size_t count) {
  if (const auto constant = ConstantOf(list); constant && constant->toListRef().size() == count) {
    std::vector<Value*> constants;
    for (const c10::IValue& part : constant->toListRef()) constants.push_back(Constant(part));
    return constants;
  }
  Node* const parts = graph_.insertNode(graph_.createListUnpack(list, count));
  const auto examples = ExamplesOf(list);
  if (examples && (*examples)[0].toListRef().size() == count && (*examples)[1].toListRef().size() == count)
    for (std::size_t i = 0; i < count; ++i)
      examples_[parts->outputs()[i]] = {(*examples)[0].toListRef()[i], (*examples)[1].toListRef()[i]};
  if (IsGuessed(list)) guessed_.insert(parts->outputs().begin(), parts->outputs().end());
  return parts->outputs().vec();
}

at::Tensor OnnxBuilder::ExampleOf(const Value* tensor, std::size_t side) const {
  const auto example = Example(tensor, side);
  if (!example || !example->isTensor())
    throw Error("the number of axes of what it reads depends on what the inputs hold, or is not stated by the file");
  return example->toTensor();
}

std::int64_t OnnxBuilder::Rank(const Value* tensor) const { return ExampleOf(tensor, 0).dim(); }

at::ScalarType OnnxBuilder::Type(const Value* tensor) const { return ExampleOf(tensor, 0).scalar_type(); }

std::int64_t OnnxBuilder::Axis(const Value* tensor, std::int64_t axis, std::int64_t more) const {
  const std::int64_t rank = Rank(tensor) + more;
  const std::int64_t counted = axis < 0 ? axis + rank : axis;
  if (counted < 0 || counted >= std::max<std::int64_t>(rank, 1))
    throw Error(fmt::format("axis {} of a tensor of {} axes", axis, rank));
  return counted;
}

std::optional<std::int64_t> OnnxBuilder::FixedSize(const Value* tensor, std::int64_t axis) const {
  if (IsGuessed(tensor)) return std::nullopt;
  const at::Tensor first = ExampleOf(tensor, 0), second = ExampleOf(tensor, 1);
  if (axis >= first.dim() || axis >= second.dim() || first.size(axis) != second.size(axis)) return std::nullopt;
  return first.size(axis);
}

Value* OnnxBuilder::Size(Value* tensor, std::int64_t axis) {
  if (const auto fixed = FixedSize(tensor, axis)) return Constant(*fixed);
  return Call("aten::size", {tensor, axis});
}

std::vector<Value*> OnnxBuilder::Sizes(Value* tensor) {
  std::vector<Value*> sizes;
  for (std::int64_t axis = 0; axis < Rank(tensor); ++axis) sizes.push_back(Size(tensor, axis));
  return sizes;
}

}  // namespace bitplan::network
