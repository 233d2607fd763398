#include "list_contents.h"

#include <torch/csrc/jit/ir/constants.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "network/operator_arguments.h"

namespace bitplan::network {

namespace {

using torch::jit::Block;
using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Use;
using torch::jit::Value;
using Items = std::vector<Value*>;

bool IsList(const Value* value) { return value->type()->kind() == c10::TypeKind::ListType; }
bool IsDict(const Value* value) { return value->type()->kind() == c10::TypeKind::DictType; }

bool WritesTo(const Node* node, std::size_t operand) {
  const auto* const schema = node->maybeSchema();
  if (!schema || operand >= schema->arguments().size()) return false;
  const auto* const alias = schema->arguments()[operand].alias_info();
  return alias && alias->isWrite();
}

/// Where in a list of `size` the operand idx points; nothing where that is computed or beside it.
std::optional<std::size_t> IndexIn(const Node* node, std::size_t size) {
  const auto constant = IntArgument(node, "idx");
  if (!constant) return std::nullopt;
  const std::int64_t index = *constant + (*constant < 0 ? static_cast<std::int64_t>(size) : 0);
  if (index < 0 || index >= static_cast<std::int64_t>(size)) return std::nullopt;
  return static_cast<std::size_t>(index);
}

/// Where insert puts an item: at the nearest end where the index is beside the list.
std::optional<std::size_t> InsertionAt(const Node* node, std::size_t size) {
  const auto constant = IntArgument(node, "idx");
  if (!constant) return std::nullopt;
  const auto length = static_cast<std::int64_t>(size);
  const std::int64_t index = *constant + (*constant < 0 ? length : 0);
  return static_cast<std::size_t>(std::clamp<std::int64_t>(index, 0, length));
}

/// What a list holds while its operators are followed.
class ListFollower {
 public:
  explicit ListFollower(Node* made) : made_(made), items_(made->inputs().vec()) {}

  /// Whether the list is written to, and all that happens to it is known.
  bool CanBeFollowed() {
    if (!FindUses(made_->output()) || !written_) return false;
    std::stable_sort(uses_.begin(), uses_.end(), [&](const Use& a, const Use& b) {
      return a.user != b.user && TopOf(a.user)->isBefore(TopOf(b.user));
    });
    Items items = items_;
    return std::all_of(uses_.begin(), uses_.end(), [&](const Use& use) {
      return !WritesTo(use.user, use.offset) || Apply(use.user, items, nullptr);
    });
  }

  void Settle() {
    std::vector<Node*> done;
    for (const Use& use : uses_) {
      if (WritesTo(use.user, use.offset)) {
        Value* taken = nullptr;
        Apply(use.user, items_, &taken);
        if (taken) use.user->output()->replaceAllUsesWith(taken);
        done.push_back(use.user);
      } else {
        GiveOwnList(use);
      }
    }
    for (auto node = done.rbegin(); node != done.rend(); ++node) (*node)->destroy();
    made_->destroy();
  }

 private:
  /// The operators that read or write the list under any name. False where it may be reached otherwise.
  bool FindUses(Value* list) {
    for (const Use& use : list->uses()) {
      Node* const user = use.user;
      if (WritesTo(user, use.offset)) {
        if (use.offset != 0 || user->owningBlock() != made_->owningBlock()) return false;
        written_ = true;
        for (Value* output : user->outputs())
          if (IsList(output) && !FindUses(output)) return false;
      } else if (!OnlyReads(user)) {
        return false;
      }
      uses_.push_back(use);
    }
    return true;
  }

  static bool OnlyReads(const Node* user) {
    if (user->kind() == c10::prim::Return) return user->owningBlock()->owningNode() == nullptr;
    if (user->kind() == c10::prim::ListUnpack) return true;
    if (user->kind() == c10::prim::TupleConstruct || user->kind() == c10::prim::DictConstruct ||
        user->kind() == c10::prim::ListConstruct) {
      const auto& uses = user->output()->uses();
      return std::all_of(uses.begin(), uses.end(), [](const Use& use) {
        return use.user->kind() == c10::prim::Return && use.user->owningBlock()->owningNode() == nullptr;
      });
    }
    const auto* const schema = user->maybeSchema();
    return schema && std::none_of(schema->returns().begin(), schema->returns().end(), [](const c10::Argument& result) {
             return result.type()->kind() == c10::TypeKind::ListType && result.alias_info() &&
                    !result.alias_info()->isWildcardAfter();
           });
  }

  /// In the list's own block: the node that `node` is, or is in.
  Node* TopOf(Node* node) const {
    while (node->owningBlock() != made_->owningBlock()) node = node->owningBlock()->owningNode();
    return node;
  }

  /// What `node` makes of the items, and what it takes out. False where its effect is not known.
  static bool Apply(const Node* node, Items& items, Value** taken) {
    const std::string op = OperatorName(node);
    const auto at = [&](std::size_t index) { return items.begin() + static_cast<std::ptrdiff_t>(index); };
    if (op == "append") {
      items.push_back(Argument(node, "el"));
    } else if (op == "insert") {
      const auto index = InsertionAt(node, items.size());
      if (!index) return false;
      items.insert(at(*index), Argument(node, "el"));
    } else if (op == "extend" || op == "add_") {
      const Node* const other = Argument(node, op == "extend" ? "other" : "b")->node();
      if (other->kind() != c10::prim::ListConstruct || other->output()->uses().size() != 1) return false;
      for (const Value* item : other->inputs()) items.push_back(const_cast<Value*>(item));
    } else if (op == "_set_item" || op == "Delete" || op == "pop") {
      const auto index = IndexIn(node, items.size());
      if (!index) return false;
      if (op == "_set_item") {
        *at(*index) = Argument(node, "el");
      } else {
        if (op == "pop" && taken) *taken = items[*index];
        items.erase(at(*index));
      }
    } else if (op == "reverse") {
      std::reverse(items.begin(), items.end());
    } else if (op == "clear") {
      items.clear();
    } else {
      return false;
    }
    return true;
  }

  void GiveOwnList(const Use& use) const {
    Graph& graph = *made_->owningGraph();
    const torch::jit::WithInsertPoint before(use.user);
    Node* const list = graph.insertNode(graph.createList(made_->output()->type()->containedType(0), items_));
    list->copyMetadata(made_);
    use.user->replaceInput(use.offset, list->output());
  }

  Node* made_;
  Items items_;
  std::vector<Use> uses_;
  bool written_ = false;
};

}  // namespace

bool WritesToContainersInLoops(Graph& graph) {
  for (Node* loop : AllNodes(graph.block())) {
    if (loop->kind() != c10::prim::Loop || !torch::jit::toIValue(loop->inputs()[0])) continue;
    if (!ConstantBool(loop->blocks()[0]->outputs()[0])) continue;  // it may break off
    for (const Node* node : AllNodes(loop->blocks()[0]))
      if (!node->inputs().empty() && (IsList(node->inputs()[0]) || IsDict(node->inputs()[0])) && WritesTo(node, 0))
        return true;
  }
  return false;
}

void SettleLists(Graph& graph) {
  for (bool changed = true; changed;) {
    changed = false;
    for (Node* node : AllNodes(graph.block())) {
      if (node->kind() != c10::prim::ListConstruct) continue;
      ListFollower follower(node);
      if (!follower.CanBeFollowed()) continue;
      follower.Settle();
      changed = true;
      break;  // the list of nodes is out of date
    }
  }
}

}  // namespace bitplan::network
