#include <gmock/gmock.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "bitplan/curvature.h"
#include "bitplan/error.h"
#include "eigen/eigen_solvers.h"
#include "hessian/reference.h"

namespace bitplan::hessian {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

/// Symmetric, with these eigenvalues.
MatrixXd MatrixOf(const VectorXd& eigenvalues) {
  std::srand(3);
  const MatrixXd basis =
      Eigen::HouseholderQR<MatrixXd>(MatrixXd::Random(eigenvalues.size(), eigenvalues.size())).householderQ();
  return basis * eigenvalues.asDiagonal() * basis.transpose();
}

Eigenpairs Solve(const MatrixXd& matrix, const EigenOptions& options) {
  const SymmetricOperator product(
      matrix.rows(),
      [&](const double* x, double* y) {
        Eigen::Map<VectorXd>(y, matrix.rows()) = matrix * Eigen::Map<const VectorXd>(x, matrix.rows());
      },
      options.max_products, options.progress);
  return SolveTopEigenpairs(product, options);
}

/// Residuals as the result states them are those of the vectors it gives.
void ExpectHonest(const MatrixXd& matrix, const Eigenpairs& pairs, double tolerance) {
  bool all_within = true;
  for (std::size_t i = 0; i < pairs.values.size(); ++i) {
    const VectorXd v = Eigen::Map<const VectorXd>(pairs.vectors[i].data(), matrix.rows());
    const double residual = (matrix * v - pairs.values[i] * v).norm();
    EXPECT_NEAR(v.norm(), 1, 1e-12);
    EXPECT_NEAR(residual, pairs.residuals[i], 1e-12 * matrix.norm());
    all_within = all_within && residual <= tolerance * std::abs(pairs.values[i]);
  }
  EXPECT_EQ(pairs.converged, all_within);
}

class Spectrum : public ::testing::TestWithParam<int> {};  // rows: some dense, some by Lanczos

TEST_P(Spectrum, LargestMagnitudesAreFoundNegativeOnesIncluded) {
  VectorXd eigenvalues = VectorXd::LinSpaced(GetParam(), 0.0, 0.5);
  eigenvalues[0] = -3;
  eigenvalues[1] = 2;
  eigenvalues[2] = -1;
  const MatrixXd matrix = MatrixOf(eigenvalues);
  EigenOptions options;
  options.count = 3;
  options.tolerance = 1e-8;
  const Eigenpairs pairs = Solve(matrix, options);
  EXPECT_THAT(pairs.values, ::testing::Pointwise(::testing::DoubleNear(1e-7), {-3.0, 2.0, -1.0}));
  EXPECT_TRUE(pairs.converged);
  EXPECT_LE(pairs.products, options.max_products);
  ExpectHonest(matrix, pairs, options.tolerance);
}

INSTANTIATE_TEST_SUITE_P(Rows, Spectrum, ::testing::Values(3, 4, 8, 64, 65, 300));

class Scale : public ::testing::TestWithParam<double> {};

TEST_P(Scale, DoesNotChangeTheRelativeAccuracy) {
  VectorXd eigenvalues = VectorXd::LinSpaced(200, 0.0, 0.9);
  eigenvalues[0] = 1;
  const MatrixXd matrix = MatrixOf(eigenvalues) * GetParam();
  const Eigenpairs pairs = Solve(matrix, {});
  EXPECT_TRUE(pairs.converged);
  EXPECT_NEAR(pairs.values[0], GetParam(), 1e-3 * GetParam());
  EXPECT_LE(pairs.residuals[0], 1e-3 * GetParam());
}

INSTANTIATE_TEST_SUITE_P(Factors, Scale, ::testing::Values(1e-18, 1e-9, 1.0, 1e12));

TEST(TopEigenpairs, KeepsToItsProductsAndSaysWhatItHasNotReached) {
  const MatrixXd matrix = MatrixOf(VectorXd::LinSpaced(500, 0.99, 1.0));  // a spectrum without gaps
  for (const int max_products : {4, 5, 8, 20, 37, 60}) {
    EigenOptions options;
    options.tolerance = 1e-7;
    options.max_products = max_products;
    const Eigenpairs pairs = Solve(matrix, options);
    EXPECT_FALSE(pairs.converged) << max_products;
    EXPECT_LE(pairs.products, max_products);
    ASSERT_EQ(pairs.values.size(), 1U);
    EXPECT_GE(pairs.values[0], 0.98);
    EXPECT_LE(pairs.values[0], 1 + 1e-12);
    ExpectHonest(matrix, pairs, options.tolerance);
  }
}

TEST(TopEigenpairs, SpendsTheLeastThatLanczosNeedsWhenFewerAreAllowed) {
  EigenOptions options;
  options.max_products = 2;
  const Eigenpairs pairs = Solve(MatrixOf(VectorXd::LinSpaced(100, 0, 1)), options);
  EXPECT_EQ(pairs.products, 4);  // 2 · count + 2
  EXPECT_FALSE(pairs.converged);
}

TEST(TopEigenpairs, GetBetterWithMoreProducts) {
  const MatrixXd matrix = MatrixOf(VectorXd::LinSpaced(400, 0, 1));
  double last = 1;
  for (const int max_products : {6, 20, 100}) {
    EigenOptions options;
    options.tolerance = 1e-12;
    options.max_products = max_products;
    const double residual = Solve(matrix, options).residuals[0];
    EXPECT_LT(residual, last);
    last = residual;
  }
}

TEST(TopEigenpairs, OfZeroAreZeroAndConverged) {
  for (const int rows : {1, 5, 100}) {
    EigenOptions options;
    options.count = 2;
    const Eigenpairs pairs = Solve(MatrixXd::Zero(rows, rows), options);
    ASSERT_EQ(pairs.values.size(), static_cast<std::size_t>(std::min(rows, 2)));
    for (const double value : pairs.values) EXPECT_EQ(value, 0);
    EXPECT_TRUE(pairs.converged);
  }
}

TEST(TopEigenpairs, OfRankOneAreFoundThoughTheKrylovSpaceEndsEarly) {
  const VectorXd u = VectorXd::LinSpaced(150, -1, 2).normalized();
  const MatrixXd matrix = -5 * u * u.transpose();
  const Eigenpairs pairs = Solve(matrix, {});
  EXPECT_NEAR(pairs.values[0], -5, 1e-9);
  EXPECT_TRUE(pairs.converged);
}

TEST(TopEigenpairs, OfTheIdentityAreFound) {
  const Eigenpairs pairs = Solve(MatrixXd::Identity(90, 90), {});
  EXPECT_NEAR(pairs.values[0], 1, 1e-12);
  EXPECT_TRUE(pairs.converged);
}

TEST(TopEigenpairs, AreAsManyAsThereAre) {
  EigenOptions options;
  options.count = 7;
  EXPECT_EQ(Solve(MatrixOf(VectorXd::LinSpaced(4, 1, 2)), options).values.size(), 4U);
}

TEST(TopEigenpairs, DependOnTheSeedAlone) {
  const MatrixXd matrix = MatrixOf(VectorXd::LinSpaced(200, 0, 1));
  EigenOptions options;
  options.max_products = 20;
  const Eigenpairs first = Solve(matrix, options), again = Solve(matrix, options);
  EXPECT_EQ(first.values, again.values);
  EXPECT_EQ(first.vectors, again.vectors);
  options.seed = 1;
  EXPECT_NE(first.values, Solve(matrix, options).values);
}

TEST(TopEigenpairs, ReportAndCanBeStopped) {
  const MatrixXd matrix = MatrixOf(VectorXd::LinSpaced(200, 0, 1));
  EigenOptions options;
  std::int64_t calls = 0;
  options.progress = [&](const Progress& progress) {
    EXPECT_LE(progress.done, progress.total);
    if (++calls == 5) throw std::domain_error("stop");
  };
  EXPECT_THROW(Solve(matrix, options), std::domain_error);
  EXPECT_EQ(calls, 5);
}

TEST(TopEigenpairs, RefuseAProductThatIsNotFinite) {
  MatrixXd matrix = MatrixXd::Identity(80, 80);
  matrix(3, 3) = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW(Solve(matrix, {}), Error);
  EXPECT_THROW(Solve(matrix.topLeftCorner(10, 10), {}), Error);
}

TEST(TopEigenpairs, OfAHessianAreThoseOfItsDenseMatrix) {
  const LossFunction loss = LoadLoss("ConvBatchNorm", 2);
  const HessianOperator hessian(loss, MakeVariables(loss.network(), {"conv.weight", "fc.weight"}));
  const at::Tensor expected =
      std::get<0>(torch::linalg_eigh(ReferenceHessian("ConvBatchNorm", "weights", {"conv.weight", "fc.weight"}), "L"));
  const at::Tensor order = expected.abs().argsort(0, true);
  EigenOptions options;
  options.count = 4;
  const Eigenpairs pairs = TopEigenpairs(hessian, options);
  EXPECT_TRUE(pairs.converged);
  for (std::size_t i = 0; i < 4; ++i) {
    const double value = expected[order[static_cast<std::int64_t>(i)]].item<double>();
    EXPECT_NEAR(pairs.values[i], value, 1e-3 * std::abs(value));
  }
}

TEST(EigenOptions, NamesWhatIsOutsideItsRange) {
  const auto refuses = [](void (*change)(EigenOptions&)) {
    EigenOptions options;
    change(options);
    EXPECT_THROW(options.Validate(), Error);
  };
  refuses([](EigenOptions& options) { options.count = 0; });
  refuses([](EigenOptions& options) { options.tolerance = 0; });
  refuses([](EigenOptions& options) { options.tolerance = std::nan(""); });
  refuses([](EigenOptions& options) { options.max_products = 1; });
  EXPECT_NO_THROW(EigenOptions{}.Validate());
}

}  // namespace
}  // namespace bitplan::hessian
