#pragma once

#include <vector>

#include "tree/branch_and_bound.h"

namespace bitplan::search {

/// What is left of a core in a node: the columns of its free groups, numbered anew, so that a tree below the node pays
/// for what is still open only. The settled groups live on in the figures of `root`; a plan's value is the whole core's
/// to tell.
struct ReducedCore {
  Core core;
  Node root;                  ///< the node, in terms of `core`
  CorePlan settled;           ///< columns of the whole core, per group
  std::vector<Index> group;   ///< of the whole core, per group
  std::vector<Index> column;  ///< of the whole core, per column

  /// The plan of the whole core that takes `plan` in the free groups.
  CorePlan Expand(const CorePlan& plan) const;

  /// Adds a budget that all plans worth finding meet, which `root` does not know yet: `row` has its costs, ≥ 0, of each
  /// column. Returns its index.
  Index AddRow(const std::vector<double>& row, double limit);
};

ReducedCore Reduce(const Core& whole, const Node& node);

}  // namespace bitplan::search
