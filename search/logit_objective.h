#pragma once

#include "search/joint_objective.h"

namespace bitplan::search {

/// Summed objectives and scale · mean_n T² KL(softmax(z_n / T) ‖ softmax((z_n + Σ_a x_a δz_a[n]) / T)).
class LogitObjective : public JointObjective {
 public:
  /// `linear`: the columns' own objectives; `choices`: the columns' numbers among the choices of `term`.
  LogitObjective(const LogitTerm& term, const std::vector<std::size_t>& choices, Eigen::VectorXd linear);

  double Value(const CorePlan& plan) const override;
  double Own(Index column) const override;
  QuadraticModel ExpandAt(const Eigen::VectorXd& x) const override;

  /// Shift of every logit, in units of the temperature: [samples · classes].
  Eigen::VectorXf ShiftOf(const Eigen::VectorXd& x) const { return shifts_ * x.cast<float>(); }
  Eigen::VectorXf ShiftOf(const CorePlan& plan) const;

  /// The joint term at a shift, and its gradient in the columns. With `probabilities`, [classes, samples], also
  /// softmax((z + v) / T).
  double JointValue(const Eigen::VectorXf& shift) const;
  double JointGradient(const Eigen::VectorXf& shift, Eigen::VectorXd& gradient) const;

  const Eigen::VectorXd& linear() const { return linear_; }

 private:
  /// Writes (softmax of the shifted logits − softmax of the logits) · weight_ for every sample; returns the value.
  double Residual(const Eigen::VectorXf& shift, Eigen::VectorXf& residual) const;

  Eigen::Index samples_, classes_;
  double weight_;           // scale · T² / samples
  Eigen::VectorXd linear_;  // per column
  Eigen::MatrixXf shifts_;  // δz / T, [samples · classes, column]
  Eigen::VectorXd logits_;  // z / T less log Σ exp, so that exp of it is the float network's softmax
};

/// Q of ½ xᵀQx that equals a SquaredShift term.
QuadraticTerm QuadraticOf(const LogitTerm& term);

}  // namespace bitplan::search
