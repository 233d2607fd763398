#pragma once

#include "search/block_shift.h"
#include "search/joint_bounder.h"
#include "search/joint_objective.h"

namespace bitplan::search {

/// Bounds by the relaxation of a quadratic objective whose groups' own blocks are shifted as far as it stays convex,
/// anew for every number of groups settled: the fewer are left, the less is lost.
class ShiftedBounder : public JointBounder {
 public:
  /// `model`: over all columns of `core`. `shares` (per column of `order`): where the relaxation's minimum is expected.
  ShiftedBounder(const Core& core, const QuadraticModel& model, const JointOrder& order, const Eigen::VectorXd& shares);

  QuadraticBound Bound(const JointNode& node, double cutoff, Effort effort, Monitor& monitor) override;

  /// What the root's relaxation loses in each group near `shares`.
  Eigen::VectorXd LossOfGroups() const { return depths_[0].shift.LossAt(spread_); }

 private:
  struct Depth {
    BlockShift shift;
    std::vector<Index> first;
    Eigen::MatrixXd matrix;
    Eigen::VectorXd linear;
    RowMatrix cost;
  };

  const Depth& DepthAfter(std::size_t settled);
  void AddDepth(BlockShift shift);

  const JointOrder& order_;
  double constant_;
  Eigen::VectorXd limits_;
  RowMatrix cost_;          // [budget, column of the order]
  Eigen::VectorXd linear_;  // unshifted
  Eigen::MatrixXd matrix_;  // unshifted
  Eigen::VectorXd spread_;  // shares that the shifts are fitted to
  std::vector<Depth> depths_;
};

}  // namespace bitplan::search
