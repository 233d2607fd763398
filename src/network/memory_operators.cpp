#include "memory_operators.h"

#include <algorithm>
#include <functional>

#include "network/lowered_graph.h"
#include "network/operator_arguments.h"
#include "network/operator_traits.h"

namespace bitplan::network {

namespace {

using torch::jit::Node;
using torch::jit::Value;
bool MayHoldTensors(const c10::TypePtr& type) {
  switch (type->kind()) {
    case c10::TypeKind::TensorType:
    case c10::TypeKind::ClassType:
    case c10::TypeKind::InterfaceType:
    case c10::TypeKind::AnyType:
    case c10::TypeKind::AnyListType:
    case c10::TypeKind::AnyTupleType:
    case c10::TypeKind::FutureType:
      return true;
    default: {
      const auto contained = type->containedTypes();
      return std::any_of(contained.begin(), contained.end(), MayHoldTensors);
    }
  }
}

bool TakesApart(const Node* node) {
  return TakesFromList(node) || node->kind() == c10::prim::TupleUnpack || node->kind() == c10::prim::TupleIndex;
}

}  // namespace

bool IsTensor(const Value* value) {
  const c10::TypePtr& type = value->type();
  if (const auto optional = type->cast<c10::OptionalType>())
    return optional->getElementType()->isSubtypeOf(*c10::TensorType::get());
  return type->isSubtypeOf(*c10::TensorType::get());
}

bool IsContainer(const Value* value) { return !IsTensor(value) && MayHoldTensors(value->type()); }

bool IsConstruct(const Node* node) {
  return node->kind() == c10::prim::ListConstruct || node->kind() == c10::prim::TupleConstruct ||
         node->kind() == c10::prim::DictConstruct;
}

bool IsViewOperator(const Node* node) {
  if (!node->kind().is_aten() || node->outputs().size() != 1) return false;
  if (Has(node, OperatorTrait::Dropout)) return BoolArgument(node, "train") == false;  // hands its operand on
  return Has(node, OperatorTrait::View) && node->schema().overload_name() != "dtype";
}

bool MayHandOn(const Node* node) {
  const auto* const schema = node->maybeSchema();
  if (!schema || Has(node, OperatorTrait::HandsOn)) return true;
  return std::any_of(schema->returns().begin(), schema->returns().end(),
                     [](const c10::Argument& result) { return result.alias_info() != nullptr; });
}

bool Writes(const Node* node, std::size_t index) {
  const auto* const schema = node->maybeSchema();
  if (!schema || index >= schema->arguments().size()) return false;
  const auto* const alias = schema->arguments()[index].alias_info();
  return alias && alias->isWrite();
}

bool TakesFromList(const Node* node) {
  return node->kind() == c10::prim::ListUnpack || node->kind() == c10::aten::__getitem__;
}

bool Keeps(const Node* node) {
  const auto outputs = node->outputs();
  if (node->kind() == c10::prim::SetAttr || std::any_of(outputs.begin(), outputs.end(), IsContainer)) return true;
  if (!node->maybeSchema())
    return !TakesApart(node) && std::any_of(outputs.begin(), outputs.end(),
                                            [](const Value* output) { return MayHoldTensors(output->type()); });
  for (std::size_t i = 0; i < node->inputs().size(); ++i)
    if (IsContainer(node->inputs()[i]) && Writes(node, i)) return true;
  return false;
}

bool IsOpenContainer(const Value* value) {
  if (!IsConstruct(value->node())) return false;
  return std::all_of(value->uses().begin(), value->uses().end(), [](const torch::jit::Use& use) {
    const Node* const user = use.user;
    if (user->kind() == c10::prim::Return) return user->owningBlock()->owningNode() == nullptr;
    if (IsConstruct(user)) return IsOpenContainer(user->output());
    return TakesApart(user) ? std::none_of(user->outputs().begin(), user->outputs().end(), IsContainer) : !Keeps(user);
  });
}

}  // namespace bitplan::network
