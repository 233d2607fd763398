#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "network/lowered_graph.h"

namespace bitplan::network {

/// Where the tensors of a graph lie, and which of them are written to in a way that can be followed: nothing reads
/// later what may or may not have changed.
///
/// A value is a view of another one (its base), the very tensor that the other one is, or a root: it has memory of its
/// own, or it may share another root's (a reshape that may copy, the result of a branch).
class TensorMemory {
 public:
  explicit TensorMemory(const LoweredGraph& lowered);

  /// What `value`, a tensor or a list of parts of one, is a view of; null for a root.
  torch::jit::Value* BaseOf(const torch::jit::Value* value) const;

  /// Whether `value` is the very tensor that its base is.
  bool IsSame(const torch::jit::Value* value) const { return same_.contains(value); }

  const torch::jit::Value* RootOf(const torch::jit::Value* value) const;

  /// Whether every write to what lies in the root's memory can be followed.
  bool IsFollowed(const torch::jit::Value* root) const { return !unfollowed_.contains(root); }

 private:
  using Roots = std::set<const torch::jit::Value*>;
  struct Write {
    const torch::jit::Node* node = nullptr;
    const torch::jit::Value* root = nullptr;
  };

  void Number(torch::jit::Block* block);
  void Visit(torch::jit::Node* node);
  void VisitOther(torch::jit::Node* node);
  void VisitBranch(const torch::jit::Node* node);
  void VisitLoop(const torch::jit::Node* node);
  void HandOn(torch::jit::Value* from, const torch::jit::Value* to, const torch::jit::Node* node);
  bool IsClosed(const torch::jit::Value* value) const;
  void Take(const torch::jit::Value* value, const torch::jit::Node* node);
  void PutAway(torch::jit::Value* value, const torch::jit::Node* node);
  std::vector<torch::jit::Value*> TensorsIn(torch::jit::Value* value) const;
  void FindSharers();
  void Settle();
  bool CanBeFollowed(const Write& write) const;
  bool IsReadStale(const torch::jit::Value* root, const Write& write) const;
  bool MayBeTakenOut(const Write& write) const;
  std::vector<const torch::jit::Node*> ReadersOf(const torch::jit::Value* root) const;
  void AddReaders(const torch::jit::Value* value, std::vector<const torch::jit::Node*>& readers) const;
  static bool Meet(const Roots& a, const Roots& b);

  std::size_t moments_ = 0;
  std::map<const torch::jit::Node*, std::size_t> begin_, made_;  // when a node begins, and when its results are there
  std::map<const torch::jit::Value*, torch::jit::Value*> bases_;
  std::set<const torch::jit::Value*> same_;
  std::map<const torch::jit::Value*, std::vector<torch::jit::Value*>> members_;  // by root
  std::vector<Write> writes_;
  // What a root may share memory with; null stands for what lies in lists and objects that cannot be seen through, all
  // of which are one store.
  std::map<const torch::jit::Value*, std::vector<torch::jit::Value*>> sources_;
  std::vector<std::pair<torch::jit::Value*, const torch::jit::Node*>> put_away_;  // in the store, and by which node
  std::vector<const torch::jit::Node*> takers_;                                   // nodes that read the store
  std::map<const torch::jit::Value*, Roots> sharers_;  // by root: it and those whose memory it may lie in
  Roots store_, unfollowed_;
};

}  // namespace bitplan::network
