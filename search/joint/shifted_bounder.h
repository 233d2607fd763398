#pragma once

#include "joint/block_shift.h"
#include "joint/joint_objective.h"

namespace bitplan::search {

/// Plans of a region: columns that its first `settled.size()` groups have taken, and those that the others may take.
/// Columns here are positions in the region's order.
struct JointNode {
  std::vector<Index> settled;
  std::vector<char> allowed;  ///< per column of the other groups; at least one a group
  RelaxedPoint start;         ///< shares of those columns; near the relaxation's minimum, it is hoped
};

/// Bounds by the relaxation of a quadratic objective whose groups' own blocks are shifted as far as it stays convex,
/// anew for every number of groups settled: the fewer are left, the less is lost.
class ShiftedBounder {
 public:
  /// `model`: over the columns of `region`, in whose point the shifts are to lose the least.
  ShiftedBounder(QuadraticModel model, RegionBudgets budgets, const JointRegion& region);

  /// The same for a part of the region, which has fewer columns and may have its groups in another order. The shifts
  /// are kept, and improved a little.
  ShiftedBounder Of(const JointRegion& region, const JointRegion& part) const;

  /// `precision`: how close to the relaxation's minimum the bound is brought, as a share of its distance from `cutoff`.
  QuadraticBound Bound(const JointNode& node, double cutoff, double precision, Monitor& monitor);

  /// Fits the shifts anew, to lose the least near these shares of the region's columns.
  void Refit(const Eigen::VectorXd& shares);

  /// What the relaxation of the whole region loses in each group near its point.
  Eigen::VectorXd LossOfGroups() const { return depths_[0].shift.LossAt(spread_); }

 private:
  ShiftedBounder() = default;
  struct Depth {
    BlockShift shift;
    std::vector<Index> first;
    Eigen::MatrixXd matrix;
    Eigen::VectorXd linear;
    RowMatrix cost;
    int visits = 0;
  };

  const Depth& DepthAfter(std::size_t settled);
  Depth DepthWith(std::size_t settled, BlockShift shift) const;

  std::vector<Index> first_;
  QuadraticModel model_;  // unshifted
  RegionBudgets budgets_;
  Eigen::VectorXd spread_;  // shares that the shifts are fitted to
  std::vector<Depth> depths_;
};

}  // namespace bitplan::search
