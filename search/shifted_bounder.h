#pragma once

#include "search/block_shift.h"
#include "search/joint_tree.h"

namespace bitplan::search {

/// Bounds by the relaxation of a quadratic objective whose groups' own blocks are shifted as far as it stays convex,
/// anew for every number of groups settled: the fewer are left, the less is lost.
class ShiftedBounder : public JointBounder {
 public:
  /// `model`: over all columns of `core`. `shares` (per column of `order`): where the relaxation's minimum is expected.
  /// Serves nodes that have settled less than `depths` groups.
  ShiftedBounder(const Core& core, const QuadraticModel& model, const JointOrder& order, const Eigen::VectorXd& shares,
                 Index depths);

  QuadraticBound Bound(const JointNode& node, double cutoff, Monitor& monitor) override;

  /// What the root's relaxation loses in each group near `shares`.
  const Eigen::VectorXd& LossOfGroups() const { return loss_; }

 private:
  struct Depth {
    std::vector<Index> first;
    Eigen::MatrixXd matrix;
    Eigen::VectorXd linear;
  };

  double constant_ = 0;
  Eigen::VectorXd limits_;
  RowMatrix cost_;          // [budget, column of the order]
  Eigen::VectorXd linear_;  // unshifted
  Eigen::MatrixXd matrix_;  // unshifted
  Eigen::VectorXd loss_;
  std::vector<Depth> depths_;
  std::vector<RowMatrix> cost_at_;  // of each depth
};

}  // namespace bitplan::search
