#include "dict_contents.h"

#include <torch/csrc/jit/ir/constants.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "network/lowered_graph.h"
#include "network/operator_arguments.h"

namespace bitplan::network {

namespace {

using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Use;
using torch::jit::Value;

struct Entry {
  Value* key;
  Value* value;
};
using Entries = std::vector<Entry>;  // in the order in which keys came

/// Whether two keys are the same; nothing where one is computed.
std::optional<bool> AreSame(const Value* a, const Value* b) {
  const auto first = torch::jit::toIValue(a), second = torch::jit::toIValue(b);
  if (!first || !second) return std::nullopt;
  if (first->isString() && second->isString()) return first->toStringRef() == second->toStringRef();
  if (first->isInt() && second->isInt()) return first->toInt() == second->toInt();
  return std::nullopt;
}

/// Position of a key; the number of entries where there is none; nothing where keys are not known.
std::optional<std::size_t> Find(const Entries& entries, const Value* key) {
  if (!AreSame(key, key)) return std::nullopt;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto same = AreSame(entries[i].key, key);
    if (!same) return std::nullopt;
    if (*same) return i;
  }
  return entries.size();
}

bool Write(Entries& entries, Value* key, Value* value) {
  const auto position = Find(entries, key);
  if (!position) return false;
  if (*position == entries.size())
    entries.push_back({key, value});
  else
    entries[*position].value = value;
  return true;
}

bool IsWrite(const Node* node) { return node->kind() == c10::aten::_set_item; }

/// What the graph returns, or a part of it.
bool IsReturned(const Node* user) {
  const auto is_end = [](const Node* node) {
    return node->kind() == c10::prim::Return && node->owningBlock()->owningNode() == nullptr;
  };
  if (user->kind() != c10::prim::TupleConstruct) return is_end(user);
  const auto& uses = user->output()->uses();
  return std::all_of(uses.begin(), uses.end(), [&](const Use& use) { return is_end(use.user); });
}

class DictFollower {
 public:
  explicit DictFollower(Node* made) : made_(made) {
    for (const Use& use : made->output()->uses()) uses_.push_back(use);
    std::stable_sort(uses_.begin(), uses_.end(),
                     [](const Use& a, const Use& b) { return a.user != b.user && a.user->isBefore(b.user); });
  }

  /// Settles all that happens to the dict where it is known, and else what is read before the first use that is not:
  /// a branch may hang on it. Returns whether anything is.
  bool Settle() const {
    const bool only_returned =
        std::all_of(uses_.begin(), uses_.end(), [](const Use& use) { return IsReturned(use.user); });
    Entries entries;
    if (only_returned || !AddFirst(entries)) return false;
    const auto unknown =
        std::find_if(uses_.begin(), uses_.end(), [&](const Use& use) { return !IsKnown(use, entries); });
    if (unknown == uses_.end()) {
      SettleAll();
      return true;
    }
    return SettleReads({uses_.begin(), unknown});
  }

 private:
  void SettleAll() const {
    Entries entries;
    AddFirst(entries);
    for (const Use& use : uses_) {
      Node* const user = use.user;
      if (IsReturned(user)) {
        user->replaceInput(use.offset, OwnDict(user, entries));
        continue;
      }
      if (IsWrite(user))
        Write(entries, Argument(user, "idx"), Argument(user, "v"));
      else
        user->output()->replaceAllUsesWith(WhatIsRead(user, entries));
      user->destroy();
    }
    made_->destroy();
  }

  /// Those that are not in a block of their own, which may be a loop's and come again.
  bool SettleReads(const std::vector<Use>& known) const {
    Entries entries;
    AddFirst(entries);
    bool any = false;
    for (const Use& use : known) {
      Node* const user = use.user;
      if (IsWrite(user)) {
        Write(entries, Argument(user, "idx"), Argument(user, "v"));
      } else if (!IsReturned(user) && user->owningBlock() == made_->owningBlock()) {
        user->output()->replaceAllUsesWith(WhatIsRead(user, entries));
        user->destroy();
        any = true;
      }
    }
    return any;
  }

  bool AddFirst(Entries& entries) const {
    for (std::size_t i = 0; i + 1 < made_->inputs().size(); i += 2)
      if (!Write(entries, made_->inputs()[i], made_->inputs()[i + 1])) return false;
    return true;
  }

  /// Follows writes.
  bool IsKnown(const Use& use, Entries& entries) const {
    Node* const user = use.user;
    if (IsReturned(user)) return true;
    if (use.offset != 0) return false;
    if (IsWrite(user))
      return user->owningBlock() == made_->owningBlock() && Write(entries, Argument(user, "idx"), Argument(user, "v"));
    const std::string op = OperatorName(user);
    if (op == "len" || op == "keys" || op == "values") return true;
    if (op != "__getitem__" && op != "__contains__") return false;
    const auto position = Find(entries, Argument(user, "key"));
    return position && (op == "__contains__" || *position < entries.size());
  }

  Value* WhatIsRead(Node* user, const Entries& entries) const {
    const std::string op = OperatorName(user);
    if (op == "__getitem__") return entries[*Find(entries, Argument(user, "key"))].value;
    Graph& graph = *made_->owningGraph();
    const torch::jit::WithInsertPoint before(user);
    if (op == "__contains__") return graph.insertConstant(*Find(entries, Argument(user, "key")) < entries.size());
    if (op == "len") return graph.insertConstant(static_cast<std::int64_t>(entries.size()));
    std::vector<Value*> items;
    for (const Entry& entry : entries) items.push_back(op == "keys" ? entry.key : entry.value);
    return graph.insertNode(graph.createList(user->output()->type()->containedType(0), items))->output();
  }

  /// Behind a dict's last write, where the graph returns it.
  Value* OwnDict(Node* user, const Entries& entries) const {
    Graph& graph = *made_->owningGraph();
    const auto type = made_->output()->type()->expect<c10::DictType>();
    std::vector<Value*> keys, values;
    for (const Entry& entry : entries) {
      keys.push_back(entry.key);
      values.push_back(entry.value);
    }
    Node* const dict = graph.createDict(type->getKeyType(), type->getValueType(), keys, values);
    dict->insertBefore(user);
    return dict->output();
  }

  Node* made_;
  std::vector<Use> uses_;  // in order of execution
};

}  // namespace

void SettleDicts(Graph& graph) {
  for (bool changed = true; changed;) {
    changed = false;
    for (Node* node : AllNodes(graph.block())) {
      if (node->kind() != c10::prim::DictConstruct) continue;
      if (!DictFollower(node).Settle()) continue;
      changed = true;
      break;  // the list of nodes is out of date
    }
  }
}

}  // namespace bitplan::network
