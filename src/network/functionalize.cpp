#include "functionalize.h"

#include <torch/csrc/jit/passes/dead_code_elimination.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "memory_operators.h"
#include "network/operator_arguments.h"
#include "network/operator_traits.h"
#include "plain_variant.h"
#include "tensor_memory.h"
#include "view_scatter.h"

namespace bitplan::network {

namespace {

using torch::jit::Block;
using torch::jit::Node;
using torch::jit::Value;
using torch::jit::WithInsertPoint;

/// What holds the contents of a value at some point of the graph. Versions of a root tell whether a view of it is still
/// up to date.
struct Contents {
  Value* value = nullptr;
  std::size_t version = 0;
};

/// Gives its operand another shape in the same memory.
bool ReshapesInPlace(const Node* node) { return node->kind().is_aten() && Has(node, OperatorTrait::ReshapesInPlace); }

/// The values that are the very tensor that a node writes to.
std::vector<Value*> NamesOf(Value* written) {
  while (WritesToFirst(written->node())) written = Subject(written->node());
  std::vector<Value*> names{written};
  for (std::size_t i = 0; i < names.size(); ++i)
    for (const torch::jit::Use& use : names[i]->uses())
      if (use.offset == 0 && WritesToFirst(use.user))
        for (Value* output : use.user->outputs()) names.push_back(output);
  return names;
}

/// Puts a view in the place of an operator that reshapes in place, and the view in that of its operand from there on.
/// Where the operand may have been put elsewhere, or is of another block, the operator stays.
void HandOnReshaped(Node* node) {
  const std::vector<Value*> names = NamesOf(Subject(node));
  for (const Value* name : names) {
    if (name->node()->owningBlock() != node->owningBlock()) return;
    for (const torch::jit::Use& use : name->uses())
      if (use.user->outputs().size() == 1 && use.user->output()->type()->kind() != c10::TypeKind::TensorType &&
          !AsksForFact(use.user))
        return;
  }
  const std::string name = OperatorName(node);
  auto& graph = *node->owningGraph();
  const WithInsertPoint before(node);
  Node* const view =
      graph.insertNode(graph.create(c10::Symbol::aten(name.substr(0, name.size() - 1)), node->inputs().vec()));
  view->copyMetadata(node);
  view->output()->setType(c10::TensorType::get());
  for (Value* each : names)
    if (each->node()->isBefore(node) || each->node()->kind() == c10::prim::Param)
      each->replaceAllUsesAfterNodeWith(node, view->output());
  node->output()->replaceAllUsesWith(view->output());
  node->destroy();
}

class Functionalizer {
 public:
  explicit Functionalizer(LoweredGraph& lowered) : lowered_(lowered), graph_(*lowered.graph), memory_(lowered) {}

  void Run() {
    State state;
    Walk(graph_.block(), state);
    for (auto node = written_.rbegin(); node != written_.rend(); ++node)
      if (!(*node)->hasUses()) (*node)->destroy();
  }

 private:
  using State = std::map<const Value*, Contents>;  // roots that were written to, and values that were read since

  void Walk(Block* block, State& state) {
    const std::vector<Node*> nodes(block->nodes().begin(), block->nodes().end());
    for (Node* node : nodes) {
      if (AsksForFact(node)) {
        AskBeforeWrites(node);
      } else {
        ReadOperands(node, state);
      }
      if (node->kind() == c10::prim::If) {
        WalkBranches(node, state);
      } else if (node->kind() == c10::prim::Loop) {
        WalkLoop(node, state);
      } else if (IsFollowedWrite(node)) {
        Write(node, state);
      } else {
        NoteViews(node, state);
      }
    }
    ReadOperands(block->return_node(), state);
  }

  bool IsFollowedWrite(const Node* node) const {
    return WritesToFirst(node) && memory_.IsFollowed(memory_.RootOf(original_.at({node, 0})));
  }

  /// Writing changes no shape and no type.
  void AskBeforeWrites(Node* node) {
    for (std::size_t i = 0; i < node->inputs().size(); ++i)
      while (memory_.IsSame(node->inputs()[i])) node->replaceInput(i, memory_.BaseOf(node->inputs()[i]));
  }

  void ReadOperands(Node* node, State& state) {
    const WithInsertPoint before(node);
    for (std::size_t i = 0; i < node->inputs().size(); ++i) {
      Value* const operand = node->inputs()[i];
      original_[{node, i}] = operand;
      Value* const current = Read(operand, state);
      if (current != operand) node->replaceInput(i, current);
    }
  }

  /// What `value` holds now, views and open lists made anew where it was written to since.
  Value* Read(Value* value, State& state) {
    if (IsOpenContainer(value)) return ReadItems(value, state);
    const Value* const root = memory_.RootOf(value);
    const auto written = state.find(root);
    if (written == state.end()) return value;
    const std::size_t version = written->second.version;
    if (const auto held = state.find(value); held != state.end() && held->second.version == version)
      return held->second.value;
    Value* const base = Read(memory_.BaseOf(value), state);
    Value* const current = memory_.IsSame(value) ? base : InsertOn(graph_, value, base);
    state[value] = {current, version};
    return current;
  }

  Value* ReadItems(Value* container, State& state) {
    Node* const node = container->node();
    std::vector<Value*> items;
    for (std::size_t i = 0; i < node->inputs().size(); ++i) {
      const auto item = original_.find({node, i});
      items.push_back(Read(item == original_.end() ? node->inputs()[i] : item->second, state));
    }
    if (std::equal(items.begin(), items.end(), node->inputs().begin(), node->inputs().end())) return container;
    Node* const anew = graph_.insertNode(graph_.createClone(node, [](Value* value) { return value; }));
    for (std::size_t i = 0; i < items.size(); ++i) anew->replaceInput(i, items[i]);
    return anew->output();
  }

  /// A view that is made here is of what its base holds here.
  void NoteViews(Node* node, State& state) {
    for (Value* output : node->outputs())
      if (memory_.BaseOf(output))
        if (const auto written = state.find(memory_.RootOf(output)); written != state.end())
          state[output] = {output, written->second.version};
  }

  void Write(Node* node, State& state) {
    Value* target = original_.at({node, 0});
    while (memory_.IsSame(target)) target = memory_.BaseOf(target);
    const WithInsertPoint here(node);
    const bool is_copied = memory_.BaseOf(target) && ScatterCopies(target->node());
    Value* changed = InsertPlainVariant(lowered_, node, Subject(node), /*shared=*/is_copied);
    std::map<const Value*, Value*> chain;  // the written value and what it is a view of
    if (!is_copied) chain[target] = changed;
    while (memory_.BaseOf(target)) {
      std::vector<Value*> path{target};
      while (IsListValue(memory_.BaseOf(path.front()))) path.insert(path.begin(), memory_.BaseOf(path.front()));
      target = memory_.BaseOf(path.front());
      if (!memory_.IsSame(path.front())) changed = InsertScatter(graph_, path, Read(target, state), changed);
      chain[target] = changed;
    }
    ++versions_;
    for (const auto& [value, contents] : chain) state[value] = {contents, versions_};
    written_.push_back(node);
  }

  static bool IsListValue(const Value* value) { return value->type()->kind() == c10::TypeKind::ListType; }

  /// Roots from outside that something in the node's blocks writes to.
  std::vector<Value*> WrittenIn(Node* node) const {
    std::vector<Value*> roots;
    for (Block* block : node->blocks()) {
      for (Node* inner : AllNodes(block)) {
        if (!WritesToFirst(inner)) continue;
        auto* const root = const_cast<Value*>(memory_.RootOf(Subject(inner)));
        if (!memory_.IsFollowed(root) || IsInside(root, node)) continue;
        if (std::find(roots.begin(), roots.end(), root) == roots.end()) roots.push_back(root);
      }
    }
    return roots;
  }

  static bool IsInside(const Value* value, const Node* node) {
    const Node* owner = value->node()->owningBlock()->owningNode();
    while (owner && owner != node) owner = owner->owningBlock()->owningNode();
    return owner != nullptr;
  }

  static c10::TypePtr TypeOf(const Value* root) {
    const bool tensor = root->type()->isSubtypeOf(*c10::TensorType::get());
    return tensor ? c10::TypePtr(c10::TensorType::get()) : root->type();  // of a trace, that of one run
  }

  void WalkBranches(Node* node, State& state) {
    const std::vector<Value*> roots = WrittenIn(node);
    for (Block* block : node->blocks()) {
      State inside = state;
      Walk(block, inside);
      const WithInsertPoint at_end(block->return_node());
      for (Value* root : roots) block->registerOutput(Read(root, inside));
    }
    for (Value* root : roots) state[root] = {node->addOutput()->setType(TypeOf(root)), ++versions_};
  }

  void WalkLoop(Node* node, State& state) {
    const std::vector<Value*> roots = WrittenIn(node);
    Block* const body = node->blocks()[0];
    State inside = state;
    for (Value* root : roots) {
      node->addInput(Read(root, state));
      inside[root] = {body->addInput()->setType(TypeOf(root)), ++versions_};
    }
    Walk(body, inside);
    for (Value* root : roots) {
      body->registerOutput(Read(root, inside));
      state[root] = {node->addOutput()->setType(TypeOf(root)), ++versions_};
    }
  }

  LoweredGraph& lowered_;
  torch::jit::Graph& graph_;
  TensorMemory memory_;
  std::map<std::pair<const Node*, std::size_t>, Value*> original_;  // operands before they were replaced
  std::vector<Node*> written_;                                      // nodes that write, now without readers
  std::size_t versions_ = 0;
};

}  // namespace

void Functionalize(LoweredGraph& lowered) {
  for (Node* node : AllNodes(lowered.graph->block()))
    if (ReshapesInPlace(node)) HandOnReshaped(node);
  Functionalizer(lowered).Run();
  torch::jit::EliminateDeadCode(lowered.graph);
}

}  // namespace bitplan::network
