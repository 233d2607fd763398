#pragma once

#include <ATen/core/Tensor.h>

#include "bitplan/spectral_density.h"
#include "eigen/symmetric_operator.h"

namespace bitplan::hessian {

/// Gauss quadrature from the Lanczos run that begins with `start`, float64 [rows], not zero: the eigenvalues of the
/// tridiagonal matrix, and the squared first elements of its eigenvectors (Golub and Welsch, Math. Comp. 23 (1969)
/// 221). At most `steps` nodes, 1 … rows.
Quadrature LanczosQuadrature(const SymmetricOperator& matrix, const at::Tensor& start, int steps);

}  // namespace bitplan::hessian
