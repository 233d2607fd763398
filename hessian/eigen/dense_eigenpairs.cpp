#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "eigen/eigen_solvers.h"
#include "eigen/largest_magnitude.h"

namespace bitplan::hessian {

Eigen::MatrixXd DenseTopVectors(const SymmetricOperator& matrix, int count) {
  const Eigen::Index n = matrix.rows();
  const Eigen::MatrixXd identity = Eigen::MatrixXd::Identity(n, n);
  Eigen::MatrixXd dense(n, n);
  for (Eigen::Index column = 0; column < n; ++column) {
    matrix.perform_op(identity.col(column).data(), dense.col(column).data());
  }
  // Products in float32 are symmetric up to rounding only.
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver((dense + dense.transpose()) / 2);
  return LargestInMagnitude(solver.eigenvalues(), solver.eigenvectors(), count);
}

}  // namespace bitplan::hessian
