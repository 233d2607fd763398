#pragma once

#include "search/joint_objective.h"
#include "search/shifted_bounder.h"

namespace bitplan::search {

/// Summed objectives and ½ xᵀQx.
class QuadraticObjective : public JointObjective {
 public:
  explicit QuadraticObjective(QuadraticModel model) : model_(std::move(model)) {}

  double Value(const CorePlan& plan) const override { return model_.Value(plan); }
  double Own(Index column) const override { return model_.linear[column] + model_.matrix(column, column) / 2; }
  QuadraticModel ExpandAt(const Eigen::VectorXd&) const override { return model_; }
  std::unique_ptr<JointBounder> MakeBounder(const Core& core, const JointOrder& order,
                                            const Eigen::VectorXd& shares) const override {
    return std::make_unique<ShiftedBounder>(core, model_, order, shares);
  }

 private:
  QuadraticModel model_;
};

}  // namespace bitplan::search
