#include "graph_copy.h"

namespace bitplan::network {

using torch::jit::Node;
using torch::jit::Value;

GraphCopy GraphCopy::WithInputsOf(const torch::jit::Graph& from) {
  GraphCopy copy;
  for (const Value* input : from.inputs()) copy.AddInput(const_cast<Value*>(input));
  return copy;
}

void GraphCopy::AddInput(Value* value) {
  copies_[value] = graph_->addInput()->copyMetadata(value);
  inputs_.push_back(value);
}

void GraphCopy::Add(Node* node) {
  Node* const copy = graph_->createClone(node, [this](Value* value) { return Find(value); });
  graph_->insertNode(copy);
  for (std::size_t i = 0; i < node->outputs().size(); ++i) copies_[node->outputs()[i]] = copy->outputs()[i];
}

Value* GraphCopy::Find(Value* value) {
  if (const auto found = copies_.find(value); found != copies_.end()) return found->second;
  if (value->node()->kind() == c10::prim::Constant)
    Add(value->node());
  else
    AddInput(value);
  return copies_.at(value);
}

TopLevel::TopLevel(torch::jit::Graph& graph) {
  for (Node* node : graph.nodes()) {
    position_[node] = nodes_.size();
    nodes_.push_back(node);
  }
}

std::size_t TopLevel::PositionOf(const Node* node) const {
  while (node && !position_.contains(node)) node = node->owningBlock()->owningNode();
  return node ? position_.at(node) : nodes_.size();
}

}  // namespace bitplan::network
