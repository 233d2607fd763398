#include "attributes.h"

#include <fmt/format.h>
#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/inliner.h>

#include <algorithm>

#include "bitplan/error.h"
#include "outside_effects.h"

namespace bitplan::network {

using torch::jit::Block;
using torch::jit::Node;
using torch::jit::Value;
using torch::jit::WithInsertPoint;

namespace {

/// Each goes through the graph once.
constexpr int kMostInterfaceCalls = 2000;

bool SameTensor(const at::Tensor& a, const at::Tensor& b) {
  if (a.is_same(b)) return true;
  return a.defined() && b.defined() && a.numel() > 0 && a.is_alias_of(b) && a.data_ptr() == b.data_ptr() &&
         a.sizes() == b.sizes() && a.strides() == b.strides() && a.scalar_type() == b.scalar_type();
}

std::string Join(const std::string& prefix, const std::string& name) {
  return prefix.empty() ? name : prefix + "." + name;
}

}  // namespace

AttributeLifter::AttributeLifter(LoweredGraph& lowered, const torch::jit::Module& module) : lowered_(lowered) {
  for (const auto& parameter : module.named_parameters()) {
    named_tensors_.emplace(parameter.name, parameter.value);
    trainable_.insert(parameter.name);
  }
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
    if (value.isModule()) objects_[node->output()] = {value, Join(owner->name, name)};
  }
}

void AttributeLifter::InlineInterfaceCalls() {
  int inlined = 0;
  for (bool changed = true; changed;) {
    changed = false;
    for (Node* node : AllNodes(lowered_.graph->block())) {
      if (node->kind() != c10::prim::CallMethod) continue;
      const Object* const owner = ObjectOf(node->inputs()[0]);
      if (!owner) continue;
      auto& method = owner->value.toObjectRef().type()->getMethod(node->s(c10::attr::name));
      torch::jit::inlineCallTo(node, torch::jit::tryToGraphFunction(method));
      changed = true;
      if (++inlined > kMostInterfaceCalls) throw Error("it calls too many modules by their interface");
      break;  // the list of nodes is out of date
    }
    if (!changed) return;
    CheckInlinedSize(*lowered_.graph);
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
  return Lift(owner.value.toObjectRef().getAttr(name), Join(owner.name, name));
}

void AttributeLifter::LiftConstantAttributes() {
  std::map<Attribute, Value*> values;  // once each: what the forward writes to a list is there for all its readers
  std::vector<Node*> lifted;
  for (Node* node : AllNodes(lowered_.graph->block())) {
    if (node->kind() != c10::prim::GetAttr || objects_.contains(node->output())) continue;
    if (!ObjectOf(node->input()) || set_attributes_.contains(AttributeOf(node))) continue;
    const auto [held, first_read] = values.try_emplace(AttributeOf(node), nullptr);
    if (first_read) held->second = LiftAttribute(node);
    node->output()->replaceAllUsesWith(held->second);
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
    throw Error(
        fmt::format("the model hands its submodule '{}' around as a value, which cannot be followed; call submodules "
                    "directly in forward",
                    attribute));
  }
  lowered_.graph->eraseInput(0);
}

bool AttributeLifter::HasTensorOf(const std::string& path) const {
  return std::any_of(named_tensors_.begin(), named_tensors_.end(),
                     [&](const auto& tensor) { return IsOrHolds(path, tensor.first); });
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
  return lowered_.AddParameter({best, tensor, IsTrainable(best, tensor)});
}

/// Constants may have a name that a parameter has, too.
bool AttributeLifter::IsTrainable(const std::string& name, const at::Tensor& tensor) const {
  return tensor.is_floating_point() && trainable_.contains(name) && SameTensor(named_tensors_.at(name), tensor);
}

Value* AttributeLifter::LiftConstant(const c10::IValue& value, const std::string& name) {
  c10::IValue held = value.isTensor() ? c10::IValue() : value;                    // an undefined tensor is None
  if (value.isObject()) held = value.toObject()->copy_to_weak_compilation_ref();  // the only form a graph may hold
  if (const auto constant = torch::jit::tryInsertConstant(*lowered_.graph, held)) return *constant;
  throw Error(
      fmt::format("the model's attribute '{}' is of type {}, which cannot be lifted", name, value.type()->str()));
}

Value* AttributeLifter::Lift(const c10::IValue& value, const std::string& name) {
  if (value.isTensor() && value.toTensor().defined()) return LiftTensor(value.toTensor(), name);
  auto& graph = *lowered_.graph;
  const WithInsertPoint at_start(*graph.nodes().begin());
  std::vector<Value*> keys, items;
  const auto lift_item = [&](const c10::IValue& item, const std::string& key) {
    items.push_back(Lift(item, name + "." + key));
  };
  // Lists and dicts are made anew in every run, since the forward may write to them.
  if (value.isList()) {
    for (const c10::IValue& item : value.toList()) lift_item(item, std::to_string(items.size()));
    return graph.insertNode(graph.createList(value.toList().elementType(), items))->output();
  }
  if (value.isTuple()) {
    for (const c10::IValue& item : value.toTupleRef().elements()) lift_item(item, std::to_string(items.size()));
    return graph.insertNode(graph.createTuple(items))->output();
  }
  if (!value.isGenericDict()) return LiftConstant(value, name);
  const auto dict = value.toGenericDict();
  for (const auto& entry : dict) {
    keys.push_back(LiftConstant(entry.key(), name));
    lift_item(entry.value(), entry.key().isString() ? entry.key().toStringRef() : std::to_string(keys.size()));
  }
  return graph.insertNode(graph.createDict(dict.keyType(), dict.valueType(), keys, items))->output();
}

}  // namespace bitplan::network
