#pragma once

#include <limits>

#include "joint/joint_objective.h"

namespace bitplan::search {

/// Summed objectives and ½ xᵀQx.
class QuadraticObjective : public JointObjective {
 public:
  explicit QuadraticObjective(QuadraticModel model) : model_(std::move(model)) {}

  double Value(const CorePlan& plan) const override { return model_.Value(plan); }
  double Own(Index column) const override { return model_.linear[column] + model_.matrix(column, column) / 2; }
  QuadraticModel ExpandAt(const Eigen::VectorXd&) const override { return model_; }
  QuadraticModel MinorantOver(const JointRegion& region, const Eigen::VectorXd& shares) const override;
  std::int64_t NodesAMinorant() const override { return std::numeric_limits<std::int64_t>::max(); }  // it is exact

 private:
  QuadraticModel model_;
};

}  // namespace bitplan::search
