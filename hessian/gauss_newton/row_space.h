#pragma once

#include <Eigen/Core>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "eigen/eigen_solvers.h"
#include "gauss_newton/row_store.h"

namespace bitplan::hessian {

/// The matrix A Aᵀ of the inner products of all rows of some layers together. It has the nonzero eigenvalues of Aᵀ A,
/// whose eigenvectors are Aᵀ u.
class RowSpace {
 public:
  RowSpace(const RowStore& store, std::vector<std::size_t> layers);

  /// Its size: rows of zeros, which stand for what a sample has fewer of than others of its part, are counted.
  std::ptrdiff_t rows() const { return rows_; }

  /// Orthonormal approximations, one a column, of the eigenvectors whose eigenvalues are largest, and the products with
  /// A Aᵀ that they took: none where the matrix itself is formed, which is done where that is less work and there is
  /// room.
  std::pair<Eigen::MatrixXd, int> TopVectors(const EigenOptions& options) const;

  /// Aᵀ u for each column.
  Eigen::MatrixXd ToWeights(const Eigen::MatrixXd& vectors) const;

 private:
  bool FormingPays() const;
  Eigen::MatrixXd Form() const;
  void Multiply(const double* x, double* y) const;

  /// Aᵀ u, in the shapes of the weights, for u in parts of [n, R].
  std::vector<at::Tensor> TransposedTimes(const double* u) const;

  const RowStore& store_;
  std::vector<std::size_t> layers_;
  std::ptrdiff_t rows_ = 0;
};

}  // namespace bitplan::hessian
