#pragma once

#include <Eigen/SparseCore>

#include "joint/joint_objective.h"

namespace bitplan::search {

/// Summed objectives and scale · mean_n T² KL(softmax(z_n / T) ‖ softmax((z_n + Σ_a x_a δz_a[n]) / T)).
class LogitObjective : public JointObjective {
 public:
  /// `linear`: the columns' own objectives; `parts`: the choices of `term` that each column takes. Sums over columns
  /// are made of sums over the parts, which are fewer where groups are linked.
  LogitObjective(const LogitTerm& term, const std::vector<Together>& parts, Eigen::VectorXd linear);

  double Value(const CorePlan& plan) const override;
  double Own(Index column) const override { return Value({column}); }
  QuadraticModel ExpandAt(const Eigen::VectorXd& x) const override;
  QuadraticBound TangentBound(const JointRegion& region, const RegionBudgets& budgets, const QuadraticModel& guide,
                              double cutoff, Monitor& monitor) const override;

  /// With d the difference of a plan's shift from that at `shares`, in units of the temperature, q the softmax and
  /// H = diag(q) − q qᵀ the Hessian there, and a ≥ Σ q d − min d, in every sample
  ///
  ///     loss(y + d) ≥ loss(y) + ∇loss(y)ᵀd + ω(a) dᵀHd,   ω(a) = (exp(−a) + a − 1) / a².
  ///
  /// With the mean taken off d: the quadratic through exp at −a that touches it at s / a, s = dᵀHd, lies below it from
  /// −a on, so that Σ q exp(d) is at least what it is for the two values −a and s / a; the logarithm of that is at
  /// least ω(a) s, which it meets as s → 0.
  QuadraticModel MinorantOver(const JointRegion& region, const Eigen::VectorXd& shares) const override;
  std::int64_t NodesAMinorant() const override { return 300; }  // they take as long as a minorant, some 20 ms

 private:
  using Takes = Eigen::SparseMatrix<double>;

  /// The parts that some columns take.
  struct Parts {
    std::vector<Index> number;
    Takes takes;  ///< [position in `number`, column]
  };
  Parts PartsOf(const std::vector<Index>& column) const;

  /// The joint term at a sum of shifts, and its derivative there.
  struct Slope {
    double value = 0;
    Eigen::VectorXd derivative;  ///< [samples · classes]
  };
  Slope SlopeAt(const Eigen::VectorXd& shift) const;
  Eigen::VectorXd SoftmaxAt(const Eigen::VectorXd& shift) const;

  /// What `column` of the columns take, summed up.
  Eigen::VectorXd ShiftOf(const std::vector<Index>& column, const Eigen::VectorXd& shares) const;

  /// The best of 1, ½, ¼, … for a step `way` of shifts, along which `rate` is added: steps of a second-order model may
  /// be too long.
  double StepLength(const Eigen::VectorXd& from, const Eigen::VectorXd& way, double rate) const;

  /// Per column: the derivative by its share.
  Eigen::VectorXd GradientOf(const Slope& slope) const;

  /// The parts `part`, less, in each sample, their mean under the softmax q at the sum `shift`.
  Eigen::MatrixXd Centered(const Eigen::VectorXd& shift, const std::vector<Index>& part) const;

  /// RᵀR of centered parts, with RᵀR the joint term's Hessian in them: in each sample diag(q) − q qᵀ has the rows
  /// √q_c (e_c − q) (docs/architecture.md). `weights` scale the samples' Hessians.
  Eigen::MatrixXd CurvatureOf(const Eigen::VectorXd& shift, Eigen::MatrixXd centered,
                              const Eigen::VectorXd& weights) const;

  Eigen::Index samples_, classes_;
  double weight_;                  // scale · T² / samples
  Eigen::VectorXd linear_;         // per column
  Eigen::MatrixXd parts_;          // δz / T, [samples · classes, part]
  Takes takes_;                    // [part, column]: 1 where the column takes the part
  Eigen::VectorXd logits_;         // z / T less log Σ exp of it, so that exp of it is
  Eigen::VectorXd probabilities_;  // the float network's softmax
};

/// Q of ½ xᵀQx that equals a SquaredShift term.
QuadraticTerm QuadraticOf(const LogitTerm& term);

}  // namespace bitplan::search
