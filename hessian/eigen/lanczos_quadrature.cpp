#include "eigen/lanczos_quadrature.h"

#include <torch/types.h>

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <limits>

namespace bitplan::hessian {

Quadrature LanczosQuadrature(const SymmetricOperator& matrix, const at::Tensor& start, int steps) {
  // Products are in float32: what is left below its rounding is not a direction any more.
  constexpr double kRounding = std::numeric_limits<float>::epsilon();
  const at::Tensor basis = torch::empty({steps, matrix.rows()}, torch::kDouble);
  Eigen::VectorXd diagonal(steps), off_diagonal(steps);
  at::Tensor v = start / start.norm(), w = torch::empty_like(v);
  double scale = 0;
  int count = 0;
  for (bool invariant = false; count < steps && !invariant; ++count) {
    basis[count].copy_(v);
    matrix.perform_op(v.const_data_ptr<double>(), w.mutable_data_ptr<double>());
    diagonal[count] = at::dot(v, w).item<double>();
    w.sub_(v, diagonal[count]);
    if (count > 0) w.sub_(basis[count - 1], off_diagonal[count - 1]);
    const at::Tensor before = basis.narrow(0, 0, count + 1);
    w.sub_(at::mv(before.t(), at::mv(before, w)));  // what rounding has left along earlier vectors
    off_diagonal[count] = w.norm().item<double>();
    scale = std::max({scale, std::abs(diagonal[count]), off_diagonal[count]});
    invariant = off_diagonal[count] <= kRounding * scale;
    if (!invariant) v = w / off_diagonal[count];
  }
  Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver;
  solver.computeFromTridiagonal(diagonal.head(count), off_diagonal.head(count - 1));
  Quadrature result;
  for (int i = 0; i < count; ++i) {
    const double first = solver.eigenvectors()(0, i);
    result.nodes.push_back(solver.eigenvalues()[i]);
    result.weights.push_back(first * first);
  }
  return result;
}

}  // namespace bitplan::hessian
