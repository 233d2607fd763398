#pragma once

#include <ATen/core/Tensor.h>

namespace bitplan::quantize {

/// Σ x² in double precision, of which no copy of x is made.
double SquaredNorm(const at::Tensor& x);

}  // namespace bitplan::quantize
