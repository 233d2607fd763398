#pragma once

#include "search/joint_objective.h"

namespace bitplan::search {

/// Summed objectives and scale · mean_n T² KL(softmax(z_n / T) ‖ softmax((z_n + Σ_a x_a δz_a[n]) / T)).
class LogitObjective : public JointObjective {
 public:
  /// `linear`: the columns' own objectives; `parts`: the choices of `term` that each column takes.
  LogitObjective(const LogitTerm& term, const std::vector<Together>& parts, Eigen::VectorXd linear);

  double Value(const CorePlan& plan) const override;
  double Own(Index column) const override;
  QuadraticModel ExpandAt(const Eigen::VectorXd& x) const override;
  std::unique_ptr<JointBounder> MakeBounder(const Core& core, const JointOrder& order,
                                            const Eigen::VectorXd& shares) const override;

  Eigen::Index samples() const { return samples_; }
  Eigen::Index classes() const { return classes_; }
  const Eigen::VectorXd& linear() const { return linear_; }
  const Eigen::MatrixXd& shifts() const { return shifts_; }  ///< δz / T, [samples · classes, column]

  /// The joint term at a sum of shifts, and its derivative there.
  struct Slope {
    double value = 0;
    Eigen::VectorXd derivative;  ///< [samples · classes]
  };
  Slope SlopeAt(const Eigen::VectorXd& shift) const;

  /// The columns `shifts` less, in each sample, their mean under the softmax q at the sum `shift`.
  Eigen::MatrixXd Center(const Eigen::VectorXd& shift, Eigen::MatrixXd shifts) const;

  /// Turns centered columns into R with RᵀR the joint term's Hessian in them: in each sample diag(q) − q qᵀ has the
  /// rows √q_c (e_c − q) (design.md, section 5). `weights` scale the samples' Hessians.
  Eigen::MatrixXd CurvatureRows(const Eigen::VectorXd& shift, Eigen::MatrixXd centered,
                                const Eigen::VectorXd& weights) const;
  Eigen::MatrixXd HessianAt(const Eigen::VectorXd& shift, const Eigen::MatrixXd& shifts) const;

 private:
  Eigen::Index samples_, classes_;
  Eigen::VectorXd SoftmaxAt(const Eigen::VectorXd& shift) const;

  double weight_;           // scale · T² / samples
  Eigen::VectorXd linear_;  // per column
  Eigen::MatrixXd shifts_;
  Eigen::VectorXd logits_;         // z / T less log Σ exp of it, so that exp of it is
  Eigen::VectorXd probabilities_;  // the float network's softmax
};

/// Q of ½ xᵀQx that equals a SquaredShift term.
QuadraticTerm QuadraticOf(const LogitTerm& term);

/// RᵀR.
Eigen::MatrixXd GramOf(const Eigen::MatrixXd& rows);

}  // namespace bitplan::search
