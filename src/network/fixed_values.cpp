#include "fixed_values.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/runtime/interpreter.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <sstream>
#include <vector>

namespace bitplan::network {

namespace {

using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;

bool Writes(const Node* node) {
  const auto* const schema = node->maybeSchema();
  return schema && std::any_of(schema->arguments().begin(), schema->arguments().end(), [](const c10::Argument& each) {
           return each.alias_info() && each.alias_info()->isWrite();
         });
}

/// Whether an operator's result hangs on nothing but its operands.
bool IsFunction(const Node* node) {
  return node->blocks().empty() && !node->hasSideEffects() && !node->isNondeterministic() && !Writes(node) &&
         (node->kind().is_aten() || node->kind().is_prim()) && node->kind() != c10::prim::GetAttr &&
         node->kind() != c10::prim::CallMethod && node->kind() != c10::prim::CallFunction;
}

std::string TextOf(const Node* constant) {
  const auto value = torch::jit::toIValue(constant->output());
  if (!value) return "none";
  if (value->isTensor())
    return fmt::format("tensor {}", static_cast<const void*>(value->toTensor().unsafeGetTensorImpl()));
  std::ostringstream text;
  text << value->tagKind() << ' ' << *value;
  return text.str();
}

}  // namespace

FixedValues::FixedValues(const LoweredGraph& lowered) : lowered_(lowered) {
  for (const Node* node : AllNodes(lowered.graph->block())) {
    if (!Writes(node)) continue;
    for (const Value* value = node->inputs()[0]; value; value = value->node()->inputs()[0]) {
      written_.insert(value);
      if (value->node()->inputs().empty()) break;
    }
  }
}

bool FixedValues::Holds(const Value* value) {
  if (const auto found = fixed_.find(value); found != fixed_.end()) return found->second;
  return fixed_[value] = IsFixed(value);
}

bool FixedValues::IsFixed(const Value* value) {
  if (written_.contains(value)) return false;
  if (value->node()->kind() == c10::prim::Param) return lowered_.ParameterOf(value).has_value();
  const auto inputs = value->node()->inputs();
  return IsFunction(value->node()) &&
         std::all_of(inputs.begin(), inputs.end(), [&](const Value* input) { return Holds(input); });
}

int FixedValues::NumberOf(Value* value) {
  if (const auto found = numbers_.find(value); found != numbers_.end()) return found->second;
  const Node* const node = value->node();
  std::string text;
  if (const auto parameter = lowered_.ParameterOf(value)) {
    text = fmt::format("parameter {}", *parameter);
  } else if (node->kind() == c10::prim::Constant) {
    text = TextOf(node);
  } else {
    text = fmt::format("{}.{}", node->kind().toQualString(), value->offset());
    for (const Value* input : node->inputs()) text += fmt::format(" {}", NumberOf(const_cast<Value*>(input)));
  }
  return numbers_[value] = number_of_text_.try_emplace(text, static_cast<int>(number_of_text_.size())).first->second;
}

std::vector<std::size_t> FixedValues::ParametersOf(Value* value) const {
  std::vector<std::size_t> parameters;
  std::set<const Value*> seen;
  const std::function<void(const Value*)> collect = [&](const Value* each) {
    if (!seen.insert(each).second) return;
    if (const auto parameter = lowered_.ParameterOf(each)) {
      parameters.push_back(*parameter);
    } else {
      for (const Value* input : each->node()->inputs()) collect(input);
    }
  };
  collect(value);
  return parameters;
}

at::Tensor FixedValues::Compute(Value* value) const {
  const at::NoGradGuard no_grad;
  auto graph = std::make_shared<Graph>();
  std::map<const Value*, Value*> copies;
  std::vector<c10::IValue> stack;
  for (const std::size_t index : ParametersOf(value)) {
    copies[lowered_.ParameterInput(index)] = graph->addInput()->setType(c10::TensorType::get());
    stack.emplace_back(lowered_.parameters[index].value);
  }
  const std::function<Value*(Value*)> copy = [&](Value* each) -> Value* {
    if (const auto found = copies.find(each); found != copies.end()) return found->second;
    for (Value* input : each->node()->inputs()) copy(input);
    Node* const node = graph->insertNode(graph->createClone(each->node(), copy));
    for (std::size_t i = 0; i < node->outputs().size(); ++i) copies[each->node()->outputs()[i]] = node->outputs()[i];
    return copies.at(each);
  };
  graph->registerOutput(copy(value));
  torch::jit::InterpreterState(torch::jit::Code(graph, "fixed")).run(stack);
  return stack.back().toTensor().detach().clone(at::MemoryFormat::Contiguous);
}

}  // namespace bitplan::network
