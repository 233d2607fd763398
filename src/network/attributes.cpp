#include "network/attributes.h"

#include <fmt/format.h>
#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/inliner.h>

#include <algorithm>

#include "bitplan/error.h"

namespace bitplan {

using torch::jit::Block;
using torch::jit::Node;
using torch::jit::Value;
using torch::jit::WithInsertPoint;

namespace {

bool SameTensor(const at::Tensor& a, const at::Tensor& b) {
  if (a.is_same(b)) return true;
  return a.defined() && b.defined() && a.numel() > 0 && a.is_alias_of(b) && a.data_ptr() == b.data_ptr() &&
         a.sizes() == b.sizes() && a.strides() == b.strides() && a.scalar_type() == b.scalar_type();
}

bool HoldsTensor(const c10::IValue& value) {
  if (value.isTensor()) return value.toTensor().defined();
  if (value.isTensorList()) return !value.toTensorVector().empty();
  const auto any = [](const auto& items) { return std::any_of(items.begin(), items.end(), HoldsTensor); };
  if (value.isList()) return any(value.toListRef());
  if (value.isTuple()) return any(value.toTupleRef().elements());
  if (!value.isGenericDict()) return false;
  const auto dict = value.toGenericDict();
  return std::any_of(dict.begin(), dict.end(), [](const auto& entry) { return HoldsTensor(entry.value()); });
}

std::string Join(const std::string& prefix, const std::string& name) { return prefix.empty() ? name : prefix + "." + name; }

}  // namespace

AttributeLifter::AttributeLifter(LoweredGraph& lowered, const torch::jit::Module& module) : lowered_(lowered) {
  for (const auto& parameter : module.named_parameters()) named_tensors_.emplace(parameter.name, parameter.value);
  for (const auto& buffer : module.named_buffers()) named_tensors_.emplace(buffer.name, buffer.value);
  objects_[lowered.graph->inputs()[0]] = {module._ivalue(), ""};
  FindObjects();
  InlineInterfaceCalls();
  for (const Node* node : AllNodes(lowered.graph->block()))
    if (node->kind() == c10::prim::SetAttr && ObjectOf(node->inputs()[0])) set_attributes_.insert(AttributeOf(node));
}

void AttributeLifter::FindObjects() {
  for (const Node* node : AllNodes(lowered_.graph->block())) {
    if (node->kind() != c10::prim::GetAttr) continue;
    const Object* const owner = ObjectOf(node->input());
    if (!owner) continue;
    const std::string& name = node->s(c10::attr::name);
    const c10::IValue value = owner->value.toObjectRef().getAttr(name);
    if (value.isObject()) objects_[node->output()] = {value, Join(owner->name, name)};
  }
}

void AttributeLifter::InlineInterfaceCalls() {
  for (bool changed = true; changed;) {
    changed = false;
    for (Node* node : AllNodes(lowered_.graph->block())) {
      if (node->kind() != c10::prim::CallMethod) continue;
      const Object* const owner = ObjectOf(node->inputs()[0]);
      if (!owner) continue;
      auto& method = owner->value.toObjectRef().type()->getMethod(node->s(c10::attr::name));
      torch::jit::inlineCallTo(node, torch::jit::tryToGraphFunction(method));
      changed = true;
      break;  // the list of nodes is out of date
    }
    if (!changed) return;
    torch::jit::Inline(*lowered_.graph);
    FindObjects();
  }
}

const AttributeLifter::Object* AttributeLifter::ObjectOf(const Value* value) const {
  const auto found = objects_.find(value);
  return found == objects_.end() ? nullptr : &found->second;
}

AttributeLifter::Attribute AttributeLifter::AttributeOf(const Node* access) const {
  return {ObjectOf(access->inputs()[0])->value.toObject().get(), access->s(c10::attr::name)};
}

Value* AttributeLifter::LiftAttribute(const Node* access) {
  const Object& owner = *ObjectOf(access->inputs()[0]);
  const std::string& name = access->s(c10::attr::name);
  const auto type = owner.value.toObjectRef().type()->getAttribute(name);
  return Lift(owner.value.toObjectRef().getAttr(name), type, Join(owner.name, name));
}

void AttributeLifter::LiftConstantAttributes() {
  std::vector<Node*> lifted;
  for (Node* node : AllNodes(lowered_.graph->block())) {
    if (node->kind() != c10::prim::GetAttr || objects_.contains(node->output())) continue;
    if (!ObjectOf(node->input()) || set_attributes_.contains(AttributeOf(node))) continue;
    node->output()->replaceAllUsesWith(LiftAttribute(node));
    lifted.push_back(node);
  }
  for (Node* node : lifted) node->destroy();
}

void AttributeLifter::FollowState() {
  const Object self = objects_.at(lowered_.graph->inputs()[0]);
  objects_.clear();  // simplifying the graph has destroyed values
  objects_[lowered_.graph->inputs()[0]] = self;
  FindObjects();
  State state;
  FollowBlock(lowered_.graph->block(), state);
}

void AttributeLifter::FollowBlock(Block* block, State& state) {
  for (auto it = block->nodes().begin(); it != block->nodes().end();) {
    Node* const node = *it;
    ++it;
    if (node->kind() == c10::prim::If) {
      FollowIf(node, state);
    } else if (node->kind() == c10::prim::Loop) {
      FollowLoop(node, state);
    } else if (node->kind() == c10::prim::SetAttr && ObjectOf(node->inputs()[0])) {
      state[AttributeOf(node)] = node->inputs()[1];
      node->destroy();
    } else if (node->kind() == c10::prim::GetAttr && !objects_.contains(node->output()) && ObjectOf(node->input())) {
      const auto [held, first_read] = state.try_emplace(AttributeOf(node), nullptr);
      if (first_read) held->second = LiftAttribute(node);
      node->output()->replaceAllUsesWith(held->second);
      node->destroy();
    }
  }
}

AttributeLifter::State AttributeLifter::AttributesSetIn(Node* node, State& state) {
  State changed;
  for (Block* block : node->blocks()) {
    for (const Node* inner : AllNodes(block)) {
      if (inner->kind() != c10::prim::SetAttr || !ObjectOf(inner->inputs()[0])) continue;
      const auto [held, unread] = state.try_emplace(AttributeOf(inner), nullptr);
      if (unread) held->second = LiftAttribute(inner);
      changed.insert(*held);
    }
  }
  return changed;
}

void AttributeLifter::FollowIf(Node* node, State& state) {
  const State changed = AttributesSetIn(node, state);
  for (Block* block : node->blocks()) {
    State inside = state;
    FollowBlock(block, inside);
    for (const auto& [attribute, before] : changed) block->registerOutput(inside.at(attribute));
  }
  for (const auto& [attribute, before] : changed) {
    Value* const output = node->addOutput();
    output->setType(c10::unifyTypes(node->blocks()[0]->outputs()[output->offset()]->type(),
                                    node->blocks()[1]->outputs()[output->offset()]->type())
                        .value_or(c10::AnyType::get()));
    state[attribute] = output;
  }
}

void AttributeLifter::FollowLoop(Node* node, State& state) {
  const State changed = AttributesSetIn(node, state);
  Block* const body = node->blocks()[0];
  State inside = state;
  for (const auto& [attribute, before] : changed) {
    node->addInput(before);
    inside[attribute] = body->addInput()->setType(before->type());
  }
  FollowBlock(body, inside);
  for (const auto& [attribute, before] : changed) {
    body->registerOutput(inside.at(attribute));
    state[attribute] = node->addOutput()->setType(before->type());
  }
}

void AttributeLifter::RemoveSelf() {
  std::vector<Node*> chain;
  for (Node* node : AllNodes(lowered_.graph->block()))
    if (node->kind() == c10::prim::GetAttr && objects_.contains(node->output())) chain.push_back(node);
  for (auto node = chain.rbegin(); node != chain.rend(); ++node)
    if (!(*node)->hasUses()) (*node)->destroy();
  Value* const self = lowered_.graph->inputs()[0];
  if (self->hasUses()) {
    const Node* const user = self->uses()[0].user;
    const std::string attribute = user->hasAttribute(c10::attr::name) ? user->s(c10::attr::name) : "?";
    throw Error(fmt::format("the model hands its submodule '{}' around as a value, which cannot be followed; call submodules "
                            "directly in forward",
                            attribute));
  }
  lowered_.graph->eraseInput(0);
}

Value* AttributeLifter::LiftTensor(const at::Tensor& tensor, const std::string& name) {
  for (std::size_t index = 0; index < lowered_.parameters.size(); ++index) {
    if (!SameTensor(lowered_.parameters[index].value, tensor)) continue;
    const auto inputs = lowered_.graph->inputs();
    return inputs[inputs.size() - lowered_.parameters.size() + index];
  }
  std::string best = name;
  if (!named_tensors_.contains(name))
    for (const auto& [path, value] : named_tensors_)
      if (SameTensor(value, tensor)) best = path;
  return lowered_.AddParameter(best, tensor);
}

Value* AttributeLifter::Lift(const c10::IValue& value, const c10::TypePtr& type, const std::string& name) {
  auto& graph = *lowered_.graph;
  if (value.isTensor() && value.toTensor().defined()) return LiftTensor(value.toTensor(), name);
  const WithInsertPoint at_start(*graph.nodes().begin());
  if (!HoldsTensor(value)) {
    const auto constant = torch::jit::tryInsertConstant(graph, value.isTensor() ? c10::IValue() : value);
    if (!constant) throw Error(fmt::format("the model's attribute '{}' is of type {}, which cannot be lifted", name, type->str()));
    return *constant;
  }
  std::vector<Value*> items;
  const auto lift_item = [&](const c10::IValue& item, const c10::TypePtr& item_type, const std::string& key) {
    items.push_back(Lift(item, item_type, name + "." + key));
  };
  if (value.isList()) {
    const auto element = type->containedTypes().empty() ? c10::TypePtr(c10::TensorType::get()) : type->containedType(0);
    for (const c10::IValue& item : value.toListRef()) lift_item(item, element, std::to_string(items.size()));
    return graph.insertNode(graph.createList(element, items))->output();
  }
  if (value.isTuple()) {
    const auto& elements = value.toTupleRef().elements();
    for (const c10::IValue& item : elements) lift_item(item, item.type(), std::to_string(items.size()));
    return graph.insertNode(graph.createTuple(items))->output();
  }
  std::vector<Value*> keys;
  for (const auto& entry : value.toGenericDict()) {
    keys.push_back(graph.insertConstant(entry.key()));
    lift_item(entry.value(), entry.value().type(), entry.key().isString() ? entry.key().toStringRef() : std::to_string(keys.size()));
  }
  const auto dict = type->expect<c10::DictType>();
  return graph.insertNode(graph.createDict(dict->getKeyType(), dict->getValueType(), keys, items))->output();
}

}  // namespace bitplan
