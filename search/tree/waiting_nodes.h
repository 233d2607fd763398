#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "tree/branch_and_bound.h"

namespace bitplan::search {

/// A node that waits: which columns it has, and where its relaxation was solved.
struct WaitingNode {
  double bound = 0;
  std::int64_t serial = 0;
  std::vector<double> rest;            // of each budget
  std::vector<std::uint64_t> columns;  // a bit for each column of the core
  Basis basis;
};

/// The nodes of a tree that wait, in little memory, best bound first. When there are many, the latest comes first:
/// their number then grows with the depth of the tree only.
class WaitingNodes {
 public:
  /// `core`, `root`: of the tree; both must outlive the nodes.
  WaitingNodes(const Core& core, const Node& root) : core_(core), root_(root) {}

  void Add(const Node& node);
  std::optional<WaitingNode> Take();
  Subproblem PartOf(const WaitingNode& waiting) const;
  double Bound() const;  ///< of the best; infinite when none waits

 private:
  std::size_t MostInHeap() const;

  const Core& core_;
  const Node& root_;
  std::vector<WaitingNode> heap_, stack_;
  std::int64_t serial_ = 0;
};

}  // namespace bitplan::search
