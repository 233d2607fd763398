#pragma once

#include "search/joint_bounder.h"
#include "search/logit_objective.h"

namespace bitplan::search {

/// Bounds on the logit model. First by its relaxation: steps to the minimum of its second-order model, taken once for
/// all nodes, each of which gives a bound by the objective's tangent (Frank and Wolfe 1956). Where that does not close
/// the node, by a quadratic that lies below the objective on the node's plans, which then takes the shift of the
/// groups' own blocks: with d the difference of the shifts from those at y, in units of the temperature, q the softmax
/// and H = diag(q) − q qᵀ the Hessian at y, and a ≥ Σ q d − min d, in every sample
///
///     loss(y + d) ≥ loss(y) + ∇loss(y)ᵀd + ω(a) dᵀHd,   ω(a) = (exp(−a) + a − 1) / a².
///
/// With the mean taken off d: the quadratic through exp at −a that touches it at s / a, s = dᵀHd, lies below it from −a
/// on, so that Σ q exp(d) is at least what it is for the two values −a and s / a; the logarithm of that is at least
/// ω(a) s, which it meets as s → 0.
class LogitBounder : public JointBounder {
 public:
  /// `shares` (per column of `order`): where the relaxation's minimum is expected.
  LogitBounder(const Core& core, const LogitObjective& objective, const JointOrder& order,
               const Eigen::VectorXd& shares);

  QuadraticBound Bound(const JointNode& node, double cutoff, Effort effort, Monitor& monitor) override;

 private:
  struct Part;  // of the columns that a node allows
  Part PartOf(const JointNode& node) const;
  QuadraticBound BoundByTangents(const Part& part, RelaxedPoint start, double cutoff, Monitor& monitor) const;
  QuadraticBound BoundByMinorant(const Part& part, const RelaxedPoint& at, double cutoff, Monitor& monitor) const;
  Eigen::VectorXd LeastCurvature(const Part& part, const Eigen::VectorXd& shares, const Eigen::MatrixXd& below) const;

  const LogitObjective& objective_;
  const JointOrder& order_;
  Eigen::VectorXd limits_;
  RowMatrix cost_;           // [budget, column of the order]
  Eigen::VectorXd linear_;   // per column of the order
  Eigen::MatrixXd shifts_;   // of the order's columns
  Eigen::MatrixXd hessian_;  // [column of the order]², where the minimum is expected
};

}  // namespace bitplan::search
