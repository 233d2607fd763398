#include <fmt/format.h>

#include <Eigen/Core>
#include <algorithm>
#include <cmath>

#include "bitplan/curvature.h"
#include "bitplan/error.h"
#include "eigen/eigen_solvers.h"
#include "tuning.h"

namespace bitplan {

namespace {

bool SolveDensely(std::ptrdiff_t rows, int count, int max_products) {
  if (2 * static_cast<std::ptrdiff_t>(count) + 1 >= rows) return true;  // Lanczos would span the whole space
  return rows <= hessian::tuning::kDenseRows && rows + count <= max_products;
}

struct Eigenpair {
  double value = 0, residual = 0;
  Eigen::VectorXd vector;
};

/// The Rayleigh quotient of a vector and how far it is from an eigenvector; one product.
Eigenpair Judge(const hessian::SymmetricOperator& matrix, const Eigen::VectorXd& direction) {
  Eigenpair pair;
  pair.vector = direction.normalized();
  Eigen::VectorXd product(matrix.rows());
  matrix.perform_op(pair.vector.data(), product.data());
  pair.value = pair.vector.dot(product);
  pair.residual = (product - pair.value * pair.vector).norm();
  return pair;
}

}  // namespace

void EigenOptions::Validate() const {
  if (count < 1) throw Error(fmt::format("the count of eigenvalues is {}, must be at least 1", count));
  EigenLimits{tolerance, max_products}.Validate();
}

void EigenLimits::Validate() const {
  if (!(tolerance > 0)) throw Error(fmt::format("the tolerance of eigenvalues is {}, must be above 0", tolerance));
  if (max_products < 2) throw Error(fmt::format("max_products is {}, must be at least 2", max_products));
}

}  // namespace bitplan

namespace bitplan::hessian {

Eigenpairs JudgeEigenvectors(const SymmetricOperator& matrix, const Eigen::MatrixXd& vectors,
                             const EigenOptions& options) {
  Eigenpairs result;
  result.converged = true;
  std::vector<Eigenpair> pairs;
  for (Eigen::Index i = 0; i < vectors.cols(); ++i) pairs.push_back(Judge(matrix, vectors.col(i)));
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const Eigenpair& a, const Eigenpair& b) { return std::abs(a.value) > std::abs(b.value); });
  for (const Eigenpair& pair : pairs) {
    result.values.push_back(pair.value);
    result.residuals.push_back(pair.residual);
    result.vectors.emplace_back(pair.vector.begin(), pair.vector.end());
    if (pair.residual > options.tolerance * std::abs(pair.value)) result.converged = false;
  }
  result.products = matrix.products();
  Report(options.progress, "eigenvalues", options.max_products, options.max_products);
  return result;
}

Eigenpairs SolveTopEigenpairs(const SymmetricOperator& matrix, const EigenOptions& options) {
  if (matrix.rows() == 0) {
    Eigenpairs none;
    none.converged = true;
    return none;
  }
  const auto count = static_cast<int>(std::min<std::ptrdiff_t>(options.count, matrix.rows()));
  return JudgeEigenvectors(
      matrix,
      SolveDensely(matrix.rows(), count, options.max_products)
          ? DenseTopVectors(matrix, count)
          : LanczosTopVectors(matrix, count, options.tolerance, options.max_products - count, options.seed),
      options);
}

}  // namespace bitplan::hessian

namespace bitplan {

Eigenpairs TopEigenpairs(const HessianOperator& hessian, const EigenOptions& options) {
  options.Validate();
  const hessian::SymmetricOperator matrix(
      hessian.rows(), [&](const double* x, double* y) { hessian.perform_op(x, y); }, options.max_products,
      options.progress);
  return hessian::SolveTopEigenpairs(matrix, options);
}

}  // namespace bitplan
