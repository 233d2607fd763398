#pragma once

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <optional>
#include <vector>

#include "search/core.h"

namespace bitplan::search {

/// What a quadratic model keeps of its groups' own blocks so that it stays convex. Choices of a group exclude each
/// other and x² = x, so every symmetric block T_g in place of Q_gg, with ½ diag(Q_gg − T_g) added to the linear term,
/// gives each plan its value again; relaxed plans gain ½ (Σ T_aa x_a − xᵀTx) less. So the best T is the least that
/// leaves Q convex on the plane Σ_{columns of a group} x = 1 (quadratic convex reformulation: Billionnet, Elloumi and
/// Plateau 2009). It is kept in coordinates of that plane, T_g = H_g S_g H_gᵀ, with H_g an orthonormal basis of the
/// steps within each group that change another group's gradient: steps that link no groups need no shift, and there are
/// few others where choices are sums, as those of a layer's weight and input are. It is found by
///
///     min_S Σ_g ⟨C_g, S_g⟩ − μ log det(offdiagonal blocks of HᵀQH + S),   C_g = ½ H_gᵀ (diag(x) − x xᵀ) H_g,
///
/// whose optimality condition is that the inverse has the diagonal blocks C_g / μ: one block after the other is fitted
/// in closed form, as in iterative proportional scaling of covariances (Speed and Kiiveri 1986).
class BlockShift {
 public:
  /// `first` begins the groups' columns in `matrix`, and ends them. Starts from a multiple of the blocks themselves.
  /// Throws Error where the sum of the squares in `matrix` is no finite number.
  BlockShift(const Eigen::MatrixXd& matrix, std::vector<Index> first);

  /// Lowers what the relaxation loses at `shares`, which must all be above 0, to within about `slack` of it. Leaves the
  /// shift as it is where there is nothing to lower (a slack of 0), or where the fit leaves the range of numbers.
  void Fit(const Eigen::VectorXd& shares, double slack, int sweeps);

  /// Fit, closer and closer.
  void FitDown(const Eigen::VectorXd& shares);

  /// ½ (Σ T_aa x_a − xᵀTx) of each group.
  Eigen::VectorXd LossAt(const Eigen::VectorXd& shares) const;

  /// The model with Q_gg replaced; convex on the plane.
  Eigen::MatrixXd Matrix() const;
  /// diag(T).
  Eigen::VectorXd Diagonal() const;

  /// The same for some of the columns, in any order of the groups: still convex. `first` begins the groups' columns in
  /// `columns`, and ends them.
  BlockShift Of(const std::vector<Index>& columns, std::vector<Index> first) const;

  /// The same without the first group: still convex.
  BlockShift WithoutFirstGroup() const;

 private:
  BlockShift() = default;
  Eigen::Index groups() const { return static_cast<Eigen::Index>(first_.size()) - 1; }
  Eigen::Index Width(Eigen::Index group) const { return first_[group + 1] - first_[group]; }
  Eigen::Index Rank(Eigen::Index group) const { return step_[group + 1] - step_[group]; }
  Eigen::MatrixXd BlockOf(Eigen::Index group) const;  // T_g
  Eigen::MatrixXd LinkedSteps(Eigen::Index group) const;
  void FindSteps();
  bool FitSweeps(const Eigen::VectorXd& shares, double slack, int sweeps);
  /// What rounding needs to stay positive definite; nothing where numbers are not finite.
  std::optional<Eigen::LLT<Eigen::MatrixXd>> Lift();

  std::vector<Index> first_;
  std::vector<Eigen::Index> step_;  // groups + 1: first_ for the steps
  std::vector<Eigen::MatrixXd> basis_;
  Eigen::MatrixXd off_;     // Q with zeros for the groups' own blocks
  double lift_ = 0;         // of the diagonal: for links that count as none
  Eigen::MatrixXd matrix_;  // on the plane, [step, step]
};

/// Shares to fit a shift to: some of each group's is spread evenly, as the nodes of a tree have other minima than
/// `shares`.
Eigen::VectorXd Spread(const std::vector<Index>& first, const Eigen::VectorXd& shares);

}  // namespace bitplan::search
