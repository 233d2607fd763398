#include "joint/block_shift.h"

#include <fmt/format.h>

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <Eigen/QR>
#include <cmath>

#include "bitplan/error.h"
#include "joint/vector_sums.h"
#include "tuning.h"

namespace bitplan::search {
namespace {

using namespace tuning::joint;

/// Orthonormal columns, orthogonal to (1, …, 1) (Helmert).
Eigen::MatrixXd StepsOf(Eigen::Index width) {
  Eigen::MatrixXd basis = Eigen::MatrixXd::Zero(width, width - 1);
  for (Eigen::Index j = 1; j < width; ++j) {
    const double norm = std::sqrt(static_cast<double>(j * (j + 1)));
    basis.col(j - 1).head(j).setConstant(1 / norm);
    basis(j, j - 1) = -static_cast<double>(j) / norm;
  }
  return basis;
}

/// The least t with off + t · blocks positive semidefinite, which is at most 1 as off + blocks is.
double LeastMultiple(const Eigen::MatrixXd& off, const Eigen::MatrixXd& blocks) {
  const Eigen::LLT<Eigen::MatrixXd> factor(blocks);
  if (factor.info() != Eigen::Success) return 1;
  Eigen::MatrixXd scaled = factor.matrixL().solve(off);
  scaled = factor.matrixL().solve(scaled.transpose()).eval();
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(scaled, Eigen::EigenvaluesOnly);
  return solver.info() == Eigen::Success ? std::max(0.0, -solver.eigenvalues()[0]) : 1;
}

}  // namespace

BlockShift::BlockShift(const Eigen::MatrixXd& matrix, std::vector<Index> first)
    : first_(std::move(first)),
      off_(matrix),
      lift_(kNothing * static_cast<double>(matrix.rows()) * (matrix.size() > 0 ? matrix.cwiseAbs().maxCoeff() : 0)) {
  if (!std::isfinite(matrix.squaredNorm()))  // bases and factors are found from sums of squares
    throw Error(
        fmt::format("the joint term's numbers are too large to compute with, up to {:.3g} in its matrix; give it in a "
                    "larger unit",
                    matrix.cwiseAbs().maxCoeff()));
  std::vector<Eigen::MatrixXd> own;
  for (Eigen::Index g = 0; g < groups(); ++g) {
    auto block = off_.block(first_[g], first_[g], Width(g), Width(g));
    own.push_back(block);
    block.setZero();
  }
  FindSteps();
  if (matrix_.size() == 0) return;
  Eigen::MatrixXd blocks = Eigen::MatrixXd::Zero(step_.back(), step_.back());
  for (Eigen::Index g = 0; g < groups(); ++g)
    blocks.block(step_[g], step_[g], Rank(g), Rank(g)) = basis_[g].transpose() * own[g] * basis_[g];
  const double least = kLeastOfMean * blocks.trace() / static_cast<double>(blocks.rows()) +
                       kLeastOfLargest * matrix.cwiseAbs().maxCoeff();
  blocks.diagonal().array() += std::max(least, 1e-300);
  matrix_ += (kAboveLeast * LeastMultiple(matrix_, blocks) + kAboveNothing) * blocks;
}

void BlockShift::FindSteps() {
  step_.push_back(0);
  for (Eigen::Index g = 0; g < groups(); ++g) {
    basis_.push_back(LinkedSteps(g));
    step_.push_back(step_.back() + basis_.back().cols());
  }
  matrix_ = Eigen::MatrixXd::Zero(step_.back(), step_.back());
  for (Eigen::Index g = 0; g < groups(); ++g) {
    const Eigen::MatrixXd rows = basis_[g].transpose() * off_.middleRows(first_[g], Width(g));
    for (Eigen::Index h = 0; h < groups(); ++h)
      matrix_.block(step_[g], step_[h], Rank(g), Rank(h)) = rows.middleCols(first_[h], Width(h)) * basis_[h];
  }
  matrix_ = (matrix_ + matrix_.transpose()).eval() / 2;
}

BlockShift BlockShift::Of(const std::vector<Index>& columns, std::vector<Index> first) const {
  BlockShift part;
  part.first_ = std::move(first);
  part.lift_ = lift_;
  part.off_ = off_(columns, columns);
  part.FindSteps();
  const Eigen::MatrixXd shifted = Matrix()(columns, columns);
  for (Eigen::Index g = 0; g < part.groups(); ++g) {
    const Eigen::MatrixXd& basis = part.basis_[g];
    auto block = part.matrix_.block(part.step_[g], part.step_[g], part.Rank(g), part.Rank(g));
    block = basis.transpose() * shifted.block(part.first_[g], part.first_[g], part.Width(g), part.Width(g)) * basis;
  }
  return part;
}

Eigen::MatrixXd BlockShift::LinkedSteps(Eigen::Index group) const {
  const Eigen::MatrixXd steps = StepsOf(Width(group));
  if (steps.cols() == 0) return steps;
  Eigen::ColPivHouseholderQR<Eigen::MatrixXd> links(steps.transpose() * off_.middleRows(first_[group], Width(group)));
  links.setThreshold(kNothing);
  const Eigen::Index rank = links.rank();
  return steps * (links.householderQ() * Eigen::MatrixXd::Identity(steps.cols(), rank));
}

std::optional<Eigen::LLT<Eigen::MatrixXd>> BlockShift::Lift() {
  if (!matrix_.allFinite()) return std::nullopt;  // the factorization takes NaN for a number
  Eigen::LLT<Eigen::MatrixXd> factor(matrix_);
  for (double lift = tuning::kRounding * std::max(matrix_.diagonal().cwiseAbs().maxCoeff(), 1e-288);
       factor.info() != Eigen::Success; lift *= 10) {
    if (!std::isfinite(lift)) return std::nullopt;
    matrix_.diagonal().array() += lift;
    factor.compute(matrix_);
  }
  return factor;
}

void BlockShift::Fit(const Eigen::VectorXd& shares, double slack, int sweeps) {
  if (matrix_.size() == 0 || !(slack > 0)) return;
  const Eigen::MatrixXd before = matrix_;
  if (!FitSweeps(shares, slack, sweeps)) matrix_ = before;
}

/// Whether it stayed within the range of numbers.
bool BlockShift::FitSweeps(const Eigen::VectorXd& shares, double slack, int sweeps) {
  const auto factor = Lift();
  if (!factor) return false;
  Eigen::MatrixXd inverse = factor->solve(Eigen::MatrixXd::Identity(matrix_.rows(), matrix_.cols()));
  const double barrier = slack / static_cast<double>(matrix_.rows());
  std::vector<Eigen::MatrixXd> target;
  for (Eigen::Index g = 0; g < groups(); ++g) {
    const Eigen::VectorXd x = shares.segment(first_[g], Width(g));
    Eigen::MatrixXd spread = -x * x.transpose();
    spread.diagonal() += x;
    target.push_back(basis_[g].transpose() * spread * basis_[g] / (2 * barrier));
  }
  for (int sweep = 0; sweep < sweeps; ++sweep) {
    for (Eigen::Index g = 0; g < groups(); ++g) {
      const Eigen::Index at = step_[g], width = Rank(g);
      if (width == 0) continue;
      Eigen::MatrixXd columns(inverse.rows(), width);  // of the inverse, whose lower triangle is up to date
      columns.topRows(at) = inverse.middleRows(at, width).leftCols(at).transpose();
      columns.bottomRows(columns.rows() - at) = inverse.middleCols(at, width).bottomRows(columns.rows() - at);
      columns.middleRows(at, width).triangularView<Eigen::StrictlyUpper>() =
          columns.middleRows(at, width).transpose().eval();
      const Eigen::MatrixXd block = columns.middleRows(at, width);
      const Eigen::MatrixXd precision = block.llt().solve(Eigen::MatrixXd::Identity(width, width));
      matrix_.block(at, at, width, width) += target[g].llt().solve(Eigen::MatrixXd::Identity(width, width)) - precision;
      const Eigen::MatrixXd change = precision * (target[g] - block) * precision;
      AddToLower(columns, change * columns.transpose(), inverse);
    }
    matrix_ = (matrix_ + matrix_.transpose()).eval() / 2;
  }
  return Lift().has_value();
}

void BlockShift::FitDown(const Eigen::VectorXd& shares) {
  for (const double slack : kSlacks) Fit(shares, slack * LossAt(shares).sum(), kSweeps);
}

Eigen::MatrixXd BlockShift::BlockOf(Eigen::Index group) const {
  const auto shifted = matrix_.block(step_[group], step_[group], Rank(group), Rank(group));
  Eigen::MatrixXd block = basis_[group] * shifted * basis_[group].transpose();
  block.diagonal().array() += lift_;
  return block;
}

Eigen::VectorXd BlockShift::LossAt(const Eigen::VectorXd& shares) const {
  Eigen::VectorXd loss(groups());
  for (Eigen::Index g = 0; g < groups(); ++g) {
    const Eigen::MatrixXd block = BlockOf(g);
    const Eigen::VectorXd x = shares.segment(first_[g], Width(g));
    loss[g] = (block.diagonal().dot(x) - x.dot(block * x)) / 2;
  }
  return loss;
}

Eigen::MatrixXd BlockShift::Matrix() const {
  Eigen::MatrixXd matrix = off_;
  for (Eigen::Index g = 0; g < groups(); ++g) matrix.block(first_[g], first_[g], Width(g), Width(g)) = BlockOf(g);
  return matrix;
}

Eigen::VectorXd BlockShift::Diagonal() const {
  Eigen::VectorXd diagonal(off_.rows());
  for (Eigen::Index g = 0; g < groups(); ++g) diagonal.segment(first_[g], Width(g)) = BlockOf(g).diagonal();
  return diagonal;
}

BlockShift BlockShift::WithoutFirstGroup() const {
  BlockShift rest;
  const Eigen::Index columns = off_.rows() - Width(0), steps = step_.back() - step_[1];
  for (std::size_t g = 1; g < first_.size(); ++g) {
    rest.first_.push_back(first_[g] - first_[1]);
    rest.step_.push_back(step_[g] - step_[1]);
  }
  rest.lift_ = lift_;
  rest.basis_.assign(basis_.begin() + 1, basis_.end());
  rest.off_ = off_.bottomRightCorner(columns, columns);
  rest.matrix_ = matrix_.bottomRightCorner(steps, steps);
  return rest;
}

Eigen::VectorXd Spread(const std::vector<Index>& first, const Eigen::VectorXd& shares) {
  Eigen::VectorXd spread(shares.size());
  for (std::size_t g = 0; g + 1 < first.size(); ++g) {
    const Index width = first[g + 1] - first[g];
    spread.segment(first[g], width) =
        (1 - kSpread) * shares.segment(first[g], width).array() + kSpread / static_cast<double>(width);
  }
  return spread;
}

}  // namespace bitplan::search
