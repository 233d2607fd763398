#pragma once

#include <ATen/core/Tensor.h>

#include "corrections/row_grid.h"

namespace bitplan::quantize {

/// Codes of rows [rows, d] of an integer weight, rounded up or down to the least E‖(Ŵ − W) x‖² of its input x
/// (AdaRound, Nagel et al. 2020, equation 21, without an activation function): Ŵ = s · clip(⌊W/s⌋ + h(V) + z), h the
/// rectified sigmoid (equation 23), whose regularizer Σ 1 − |2h − 1|^β (equation 24) lets β fall from 20 to 2, weighed
/// by the cost of an error of one step. The expectation is exact, from the second moments of all calibration samples,
/// so every step sees all of them. `moments`: float64 [d, d].
at::Tensor CodesByAdaRound(const at::Tensor& rows, const RowGrid& grid, at::Tensor moments);

}  // namespace bitplan::quantize
