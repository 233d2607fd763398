#include "network/lowered_graph.h"

#include <torch/csrc/jit/ir/constants.h>

#include <algorithm>
#include <string>
#include <utility>

#include "network/operator_traits.h"
#include "network/probe_operator.h"

namespace bitplan {

using torch::jit::Block;
using torch::jit::Node;
using torch::jit::Value;

std::optional<std::size_t> LoweredGraph::ParameterOf(const Value* value) const {
  const auto inputs = graph->inputs();
  const auto found = std::find(inputs.begin(), inputs.end(), value);
  if (found == inputs.end()) return std::nullopt;
  const auto position = static_cast<std::size_t>(found - inputs.begin());
  if (position < arguments.size() || position >= arguments.size() + parameters.size()) return std::nullopt;
  return position - arguments.size();
}

Value* LoweredGraph::AddParameter(Parameter parameter) {
  Value* const input = graph->addInput();
  input->setType(c10::TensorType::get());
  parameters.push_back(std::move(parameter));
  return input;
}

int LoweredGraph::SiteOf(const Node* tap) const { return tap_sites[static_cast<std::size_t>(network::TapNumber(tap))]; }

void LoweredGraph::RemoveUnusedParameters() {
  for (std::size_t index = parameters.size(); index-- > 0;) {
    if (ParameterInput(index)->hasUses()) continue;
    graph->eraseInput(arguments.size() + index);
    parameters.erase(parameters.begin() + static_cast<std::ptrdiff_t>(index));
  }
}

bool network::IsOrHolds(const std::string& path, const std::string& name) {
  return name.starts_with(path) && (name.size() == path.size() || name[path.size()] == '.');
}

namespace {

void Collect(Block* block, std::vector<Node*>& nodes) {
  for (Node* node : block->nodes()) {
    nodes.push_back(node);
    for (Block* inner : node->blocks()) Collect(inner, nodes);
  }
}

}  // namespace

}  // namespace bitplan

namespace bitplan::network {

std::vector<Node*> AllNodes(Block* block) {
  std::vector<Node*> nodes;
  Collect(block, nodes);
  return nodes;
}

std::optional<bool> ConstantBool(const Value* value) {
  const auto constant = torch::jit::toIValue(value);
  if (!constant || !constant->isBool()) return std::nullopt;
  return constant->toBool();
}

bool AsksForFact(const Node* node) {
  if (node->outputs().empty() || !node->blocks().empty() || Has(node, OperatorTrait::ReadsElements)) return false;
  const c10::TypePtr& type = node->outputs()[0]->type();
  return type->isSubtypeOf(*c10::NumberType::get()) || type->kind() == c10::TypeKind::BoolType ||
         type->isSubtypeOf(*c10::ListType::ofInts()) || type->kind() == c10::TypeKind::DeviceObjType;
}

std::size_t CountReaders(const Value* value) {
  std::size_t readers = 0;
  for (const torch::jit::Use& use : value->uses()) {
    const auto outputs = use.user->outputs();
    if (use.user->kind() == c10::prim::ListConstruct || use.user->kind() == c10::prim::TupleConstruct) {
      readers += CountReaders(outputs[0]);
    } else if (use.user->kind() == c10::prim::Return || outputs.empty()) {
      ++readers;
    } else if (!AsksForFact(use.user)) {
      ++readers;
    }
  }
  return readers;
}

bool IsTensorValue(const Value* value) { return value->type()->isSubtypeOf(*c10::TensorType::get()); }

std::string OperatorName(const Node* node) { return node->kind().toUnqualString(); }

}  // namespace bitplan::network
