#pragma once

#include <Eigen/Core>
#include <vector>

#include "monitor.h"
#include "search/core.h"

namespace bitplan::search {

using RowMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// min constant + linearᵀx + ½ xᵀ matrix x  over x ≥ 0, Σ_{columns of a group} x = 1 for each group, cost · x ≤ rest,
/// where columns may be ruled out. Convex on the plane of the groups' sums.
struct QuadraticRelaxation {
  const std::vector<Index>& first;  ///< groups + 1: where the columns of a group begin
  const Eigen::MatrixXd& matrix;
  const RowMatrix& cost;  ///< [budget, column], ≥ 0
  const std::vector<char>& allowed;
  double constant = 0;
  Eigen::VectorXd linear;
  Eigen::VectorXd rest;  ///< per budget
};

struct RelaxedPoint {
  Eigen::VectorXd shares;       ///< per column; may be over a budget
  Eigen::VectorXd multipliers;  ///< per budget, ≥ 0
};

struct QuadraticBound {
  double bound = -kInfinity;     ///< on the relaxation, valid whatever the rounding
  Eigen::VectorXd reduced_loss;  ///< per column: the bound rises by at least this when the column must be taken; ≥ 0
  RelaxedPoint point;
};

/// The bound that the tangent of a convex function gives, which has `value` and `gradient` at `x`: over the columns and
/// budgets of `of`, whose own function plays no part,
///
///     f(x) + min_s G(x)ᵀ(s − x) ≥ f(x) − Gᵀx + Σ_groups min_{columns} (G + λ cost) − λ rest  for every λ ≥ 0
///
/// (Frank and Wolfe 1956). Its point is `x` with λ, the `multipliers`.
QuadraticBound TangentBound(const QuadraticRelaxation& of, double value, const Eigen::VectorXd& gradient,
                            RelaxedPoint at);

/// Augmented Lagrangian in the budgets (Hestenes 1969, Powell 1969), pairwise exact steps within the groups for the
/// rest. The bound is the best of the tangents at the points on the way. Stops when the bound reaches `cutoff`, when it
/// is within `share` of the cutoff's distance of what it can become, or when the time is up.
QuadraticBound BoundFrom(const QuadraticRelaxation& relaxation, RelaxedPoint start, double cutoff, double share,
                         Monitor& monitor);

}  // namespace bitplan::search
