#pragma once

#include <Eigen/Core>
#include <cstdint>

#include "bitplan/curvature.h"
#include "eigen/symmetric_operator.h"

namespace bitplan::hessian {

/// Orthonormal approximations, one a column, of the `count` eigenvectors whose eigenvalues are largest in magnitude;
/// rows() products.
Eigen::MatrixXd DenseTopVectors(const SymmetricOperator& matrix, int count);

/// The same by implicitly restarted Lanczos; `count` < rows(). Spends at most `max_products` products, and never fewer
/// than count + 2: the best vectors so far where that is not enough for ‖Av − λv‖ ≤ tolerance · |λ|.
Eigen::MatrixXd LanczosTopVectors(const SymmetricOperator& matrix, int count, double tolerance, int max_products,
                                  std::uint64_t seed);

/// What SolveTopEigenpairs holds at the most: the basis, and the vectors beside it.
std::int64_t EigenpairBytes(std::int64_t rows, int count);

/// Eigenvalues and residuals of approximate eigenvectors, one a column and not zero; a product each.
Eigenpairs JudgeEigenvectors(const SymmetricOperator& matrix, const Eigen::MatrixXd& vectors,
                             const EigenOptions& options);

/// Eigenvalues of a symmetric matrix that are largest in magnitude, by the solver that fits its size.
Eigenpairs SolveTopEigenpairs(const SymmetricOperator& matrix, const EigenOptions& options);

}  // namespace bitplan::hessian
