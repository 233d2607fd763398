#pragma once

#include <vector>

#include "joint/quadratic_relaxation.h"
#include "search/core.h"

namespace bitplan::search {

/// Columns of a core that are in play, the groups one after the other.
struct JointOrder {
  std::vector<Index> column;  ///< of the core; those of a group are contiguous
  std::vector<Index> first;   ///< groups + 1: where the columns of a group begin

  Index groups() const { return static_cast<Index>(first.size()) - 1; }
  Index Width(Index group) const { return first[group + 1] - first[group]; }
};

/// The plans that take the settled columns, and in every other group one of those that are left.
struct JointRegion {
  std::vector<Index> settled;  ///< columns of the core, each of another group
  JointOrder order;            ///< of the other groups
  RelaxedPoint point;          ///< shares of the order's columns; near the relaxation's minimum, it is hoped
};

/// What the columns of a region's order cost, and what its settled ones leave of the limits.
struct RegionBudgets {
  RowMatrix cost;        ///< [budget, column of the order]
  Eigen::VectorXd rest;  ///< per budget; a little more than is left, for sums that are rounded otherwise
};
RegionBudgets BudgetsOf(const Core& core, const JointRegion& region);

/// Marks the columns with 0 that are over a budget even when all other groups take their cheapest. `first`: where the
/// columns of a group begin. Returns whether every group has some left.
bool DropUnaffordable(const std::vector<Index>& first, const RegionBudgets& budgets, std::vector<char>& allowed);

/// Leaves out the columns that are marked with 0; shares are made to add up to 1 again. Returns whether every group has
/// some left; if not, the region is as it was.
bool KeepOnly(const std::vector<char>& kept, JointRegion& region);

/// Puts the groups in order of falling `weight`.
void Arrange(const Eigen::VectorXd& weight, JointRegion& region);

}  // namespace bitplan::search
