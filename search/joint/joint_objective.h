#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <memory>
#include <vector>

#include "joint/joint_region.h"
#include "monitor.h"
#include "search/core.h"
#include "search/linked_groups.h"

namespace bitplan::search {

/// constant + linearᵀx + ½ xᵀ matrix x over the columns of a core.
struct QuadraticModel {
  double constant = 0;
  Eigen::VectorXd linear;
  Eigen::MatrixXd matrix;  ///< symmetric

  double Value(const CorePlan& plan) const;
};

/// The objective of a problem with a joint term, in the problem's own unit, over the columns of a core. Convex in
/// relaxed columns x ≥ 0, Σ_{columns of a group} x = 1.
class JointObjective {
 public:
  virtual ~JointObjective() = default;

  virtual double Value(const CorePlan& plan) const = 0;

  /// Of a column alone: its objective, and what the joint term charges for it without the other groups.
  virtual double Own(Index column) const = 0;

  /// The second-order expansion at relaxed columns `x`, as a function of the columns themselves (not of the step).
  virtual QuadraticModel ExpandAt(const Eigen::VectorXd& x) const = 0;

  /// A bound on the plans of a region by tangents of the objective, at points on the way to the relaxation's minimum;
  /// steps are taken on `guide`, an expansion near there. Infinitely bad by default, with the region's own point.
  virtual QuadraticBound TangentBound(const JointRegion& region, const RegionBudgets& budgets,
                                      const QuadraticModel& guide, double cutoff, Monitor& monitor) const;

  /// A quadratic in the columns of the region's order, convex in them, that is at most the objective on the region's
  /// plans, and close to it near `shares`.
  virtual QuadraticModel MinorantOver(const JointRegion& region, const Eigen::VectorXd& shares) const = 0;

  /// Nodes that are bounded by a minorant before it is worth another one for what is left.
  virtual std::int64_t NodesAMinorant() const = 0;
};

/// The objective with a joint term. `linear`: the columns' own objectives; `parts`: the choices of the term that each
/// column takes, of `choices` in all.
std::unique_ptr<JointObjective> MakeJointObjective(const JointTerm& term, std::size_t choices, Eigen::VectorXd linear,
                                                   const std::vector<Together>& parts);

}  // namespace bitplan::search
