#include "joint/block_shift.h"

#include <gtest/gtest.h>

#include <Eigen/Eigenvalues>
#include <limits>

#include "bitplan/error.h"

namespace bitplan::search {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kUnbounded = std::numeric_limits<double>::infinity();

/// Three groups of three choices.
const std::vector<Index> kFirst{0, 3, 6, 9};

/// Positive semidefinite, every column linked with every other.
Eigen::MatrixXd Convex() {
  Eigen::MatrixXd rows(9, 9);
  for (Eigen::Index i = 0; i < 9; ++i)
    for (Eigen::Index j = 0; j < 9; ++j) rows(i, j) = std::sin(static_cast<double>(1 + 3 * i + 7 * j + i * j));
  return rows.transpose() * rows;
}

Eigen::VectorXd Shares() { return Eigen::VectorXd::Constant(9, 1.0 / 3); }

/// Of x ↦ xᵀQx among steps within groups, which leave each group's sum as it is.
double LeastCurvature(const Eigen::MatrixXd& matrix) {
  Eigen::MatrixXd steps = Eigen::MatrixXd::Zero(9, 6);
  for (Eigen::Index g = 0; g < 3; ++g)
    for (Eigen::Index j = 0; j < 2; ++j) {
      steps(3 * g + j, 2 * g + j) = 1;
      steps(3 * g + 2, 2 * g + j) = -1;
    }
  return Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(steps.transpose() * matrix * steps).eigenvalues()[0];
}

TEST(BlockShift, FittingLosesLessAndStaysConvex) {
  BlockShift shift(Convex(), kFirst);
  const double before = shift.LossAt(Shares()).sum();
  shift.FitDown(Shares());
  EXPECT_LT(shift.LossAt(Shares()).sum(), before);
  EXPECT_GT(LeastCurvature(shift.Matrix()), -1e-9);
}

TEST(BlockShift, RefusesNumbersThatAreNoneOrTooLarge) {
  for (const double bad : {kNaN, kUnbounded, 1e308}) {
    Eigen::MatrixXd matrix = Convex();
    matrix(0, 0) = -bad;
    matrix(1, 4) = matrix(4, 1) = bad;
    EXPECT_THROW(BlockShift(matrix, kFirst), Error) << bad;
  }
}

TEST(BlockShift, FitsNumbersOfAnyOrdinarySize) {
  for (const double size : {1e-100, 1e-20, 1.0, 1e20, 1e100}) {
    BlockShift shift(size * Convex(), kFirst);
    const double before = shift.LossAt(Shares()).sum();
    shift.FitDown(Shares());
    EXPECT_LT(shift.LossAt(Shares()).sum(), before) << size;
    EXPECT_GT(LeastCurvature(shift.Matrix() / size), -1e-9) << size;
  }
}

TEST(BlockShift, StaysAsItIsWhereAFitLeavesTheRangeOfNumbers) {
  for (const double slack : {0.0, kNaN, kUnbounded, 1e-320}) {
    BlockShift shift(Convex(), kFirst);
    shift.Fit(Shares(), slack, 4);
    ASSERT_TRUE(shift.Matrix().allFinite()) << slack;
    EXPECT_GT(LeastCurvature(shift.Matrix()), -1e-9) << slack;
  }
  for (const double share : {kNaN, kUnbounded, 1e200}) {
    BlockShift shift(Convex(), kFirst);
    Eigen::VectorXd shares = Shares();
    shares[4] = share;
    shift.Fit(shares, 0.1, 4);
    ASSERT_TRUE(shift.Matrix().allFinite()) << share;
    EXPECT_GT(LeastCurvature(shift.Matrix()), -1e-9) << share;
  }
}

}  // namespace
}  // namespace bitplan::search
