#include "tensor_memory.h"

#include <algorithm>
#include <utility>

#include "memory_operators.h"
#include "network/operator_arguments.h"
#include "plain_variant.h"

namespace bitplan::network {

namespace {

using torch::jit::Block;
using torch::jit::Node;
using torch::jit::Value;

bool IsInside(const Node* node, const Node* outer) {
  const Node* owner = node->owningBlock()->owningNode();
  while (owner && owner != outer) owner = owner->owningBlock()->owningNode();
  return owner != nullptr;
}

/// The loops that both nodes are in.
std::vector<const Node*> CommonLoops(const Node* a, const Node* b) {
  std::vector<const Node*> loops;
  for (const Node* owner = a->owningBlock()->owningNode(); owner; owner = owner->owningBlock()->owningNode())
    if (owner->kind() == c10::prim::Loop && IsInside(b, owner)) loops.push_back(owner);
  return loops;
}

/// Whether each iteration of the loop makes `value` anew, and not from what the last one left.
bool IsMadeIn(const Value* value, const Node* loop) {
  return IsInside(value->node(), loop) && value->node() != loop->blocks()[0]->param_node();
}

}  // namespace

TensorMemory::TensorMemory(const LoweredGraph& lowered) {
  Number(lowered.graph->block());
  for (Node* node : AllNodes(lowered.graph->block())) Visit(node);
  for (Value* output : lowered.graph->outputs()) Take(output, lowered.graph->return_node());
  for (const auto& [node, position] : begin_)
    for (Value* output : const_cast<Node*>(node)->outputs())
      if (IsTensor(output) || bases_.contains(output)) members_[RootOf(output)].push_back(output);
  for (Write& write : writes_) write.root = RootOf(write.root);
  FindSharers();
  Settle();
}

void TensorMemory::Number(Block* block) {
  begin_[block->param_node()] = moments_++;
  for (Node* node : block->nodes()) {
    begin_[node] = moments_++;
    for (Block* inner : node->blocks()) Number(inner);
    made_[node] = moments_++;
  }
  begin_[block->return_node()] = moments_++;
  made_[block->param_node()] = begin_[block->param_node()];
}

Value* TensorMemory::BaseOf(const Value* value) const {
  const auto found = bases_.find(value);
  return found == bases_.end() ? nullptr : found->second;
}

const Value* TensorMemory::RootOf(const Value* value) const {
  while (const Value* const base = BaseOf(value)) value = base;
  return value;
}

void TensorMemory::Visit(Node* node) {
  if (node->kind() == c10::prim::If) return VisitBranch(node);
  if (node->kind() == c10::prim::Loop) return VisitLoop(node);
  const bool constant = node->kind() == c10::prim::Constant || node->kind() == c10::prim::Uninitialized;
  if (constant || (IsConstruct(node) && IsOpenContainer(node->output()))) return;
  const bool cast = node->kind() == c10::prim::unchecked_cast && IsTensor(node->output()) && IsTensor(node->input());
  if (WritesToFirst(node) || cast) {
    if (!cast) writes_.push_back({node, Subject(node)});
    for (const Value* output : node->outputs()) same_.insert(output);
    for (const Value* output : node->outputs()) bases_[output] = node->inputs()[0];
  } else if (IsViewOperator(node) || (TakesFromList(node) && bases_.contains(node->inputs()[0]))) {
    for (const Value* output : node->outputs()) bases_[output] = node->inputs()[0];
  } else {
    VisitOther(node);
  }
}

void TensorMemory::VisitOther(Node* node) {
  std::vector<Value*> sources;
  for (std::size_t i = 0; i < node->inputs().size(); ++i) {
    Value* const input = node->inputs()[i];
    if (IsTensor(input) && Writes(node, i)) writes_.push_back({node, input});
    for (Value* tensor : TensorsIn(input)) sources.push_back(tensor);
    if (IsClosed(input)) sources.push_back(nullptr);
    Take(input, node);
    if (Keeps(node)) PutAway(input, node);
  }
  if (MayHandOn(node))
    for (const Value* output : node->outputs())
      if (IsTensor(output)) sources_[output] = sources;
}

void TensorMemory::VisitBranch(const Node* node) {
  for (const Block* block : node->blocks())
    for (std::size_t i = 0; i < node->outputs().size(); ++i)
      HandOn(const_cast<Value*>(block->outputs()[i]), node->outputs()[i], block->return_node());
}

void TensorMemory::VisitLoop(const Node* node) {
  const Block* const body = node->blocks()[0];
  for (std::size_t i = 0; i < node->outputs().size(); ++i) {
    Value* const first = const_cast<Value*>(node->inputs()[2 + i]);
    Value* const next = const_cast<Value*>(body->outputs()[1 + i]);
    for (const Value* to : {body->inputs()[1 + i], node->outputs()[i]}) {
      HandOn(first, to, node);
      HandOn(next, to, body->return_node());
    }
  }
}

void TensorMemory::HandOn(Value* from, const Value* to, const Node* node) {
  if (IsTensor(to)) {
    sources_[to].push_back(from);
  } else if (IsContainer(to)) {
    PutAway(from, node);
  }
}

bool TensorMemory::IsClosed(const Value* value) const {
  return IsContainer(value) && !IsOpenContainer(value) && !bases_.contains(value);
}

void TensorMemory::Take(const Value* value, const Node* node) {
  if (IsClosed(value) && !AsksForFact(node)) takers_.push_back(node);
}

void TensorMemory::PutAway(Value* value, const Node* node) {
  for (Value* tensor : TensorsIn(value)) put_away_.emplace_back(tensor, node);
}

std::vector<Value*> TensorMemory::TensorsIn(Value* value) const {
  if (IsTensor(value) || bases_.contains(value)) return {value};
  std::vector<Value*> tensors;
  if (IsConstruct(value->node()))
    for (Value* item : value->node()->inputs())
      for (Value* tensor : TensorsIn(item)) tensors.push_back(tensor);
  return tensors;
}

void TensorMemory::FindSharers() {
  for (const auto& [root, values] : members_) sharers_[root] = {root};
  const auto add = [](Roots& to, const Roots& from) {
    const std::size_t before = to.size();
    to.insert(from.begin(), from.end());
    return to.size() != before;
  };
  for (bool changed = true; changed;) {
    changed = false;
    for (const auto& [value, sources] : sources_)
      for (const Value* source : sources) changed |= add(sharers_[value], source ? sharers_[RootOf(source)] : store_);
    for (const auto& [value, node] : put_away_) changed |= add(store_, sharers_[RootOf(value)]);
  }
}

void TensorMemory::Settle() {
  for (const Write& write : writes_)
    if (!CanBeFollowed(write)) unfollowed_.insert(write.root);
  for (std::size_t before = unfollowed_.size() + 1; before != unfollowed_.size();) {
    before = unfollowed_.size();
    for (const Write& write : writes_)
      if (std::any_of(unfollowed_.begin(), unfollowed_.end(),
                      [&](const Value* root) { return Meet(sharers_.at(root), sharers_.at(write.root)); }))
        unfollowed_.insert(write.root);
  }
}

bool TensorMemory::CanBeFollowed(const Write& write) const {
  if (!WritesToFirst(write.node) || !HasPlainVariant(write.node) || MayBeTakenOut(write)) return false;
  return std::none_of(sharers_.begin(), sharers_.end(), [&](const auto& other) {
    return other.first != write.root && Meet(other.second, sharers_.at(write.root)) && IsReadStale(other.first, write);
  });
}

bool TensorMemory::IsReadStale(const Value* root, const Write& write) const {
  const std::size_t written = begin_.at(write.node);
  const std::vector<const Node*> readers = ReadersOf(root);
  return std::any_of(readers.begin(), readers.end(), [&](const Node* reader) {
    if (made_.at(root->node()) < written && begin_.at(reader) > written) return true;
    const auto loops = CommonLoops(reader, write.node);
    return std::any_of(loops.begin(), loops.end(), [&](const Node* loop) { return !IsMadeIn(root, loop); });
  });
}

bool TensorMemory::MayBeTakenOut(const Write& write) const {
  const std::size_t written = begin_.at(write.node);
  const bool taken = std::any_of(takers_.begin(), takers_.end(), [&](const Node* taker) {
    return begin_.at(taker) > written || !CommonLoops(taker, write.node).empty();
  });
  if (!taken) return false;
  const auto sources = sources_.find(write.root);
  const bool was_put_away =
      sources != sources_.end() && std::count(sources->second.begin(), sources->second.end(), nullptr) > 0;
  return std::any_of(put_away_.begin(), put_away_.end(), [&](const auto& put) {
    if (!Meet(sharers_.at(RootOf(put.first)), sharers_.at(write.root))) return false;
    const auto loops = CommonLoops(put.second, write.node);
    return was_put_away || begin_.at(put.second) < written ||
           std::any_of(loops.begin(), loops.end(), [&](const Node* loop) { return !IsMadeIn(write.root, loop); });
  });
}

std::vector<const Node*> TensorMemory::ReadersOf(const Value* root) const {
  std::vector<const Node*> readers;
  for (const Value* member : members_.at(root)) AddReaders(member, readers);
  return readers;
}

void TensorMemory::AddReaders(const Value* value, std::vector<const Node*>& readers) const {
  for (const torch::jit::Use& use : value->uses()) {
    const auto outputs = use.user->outputs();
    if (IsConstruct(use.user) && IsOpenContainer(use.user->output())) {
      AddReaders(use.user->output(), readers);
    } else if (!AsksForFact(use.user) &&
               std::none_of(outputs.begin(), outputs.end(), [&](const Value* each) { return BaseOf(each) == value; })) {
      readers.push_back(use.user);
    }
  }
}

bool TensorMemory::Meet(const Roots& a, const Roots& b) {
  return std::any_of(a.begin(), a.end(), [&](const Value* root) { return b.contains(root); });
}

}  // namespace bitplan::network
