#pragma once

#include <ATen/core/Tensor.h>

#include "corrections/row_grid.h"

namespace bitplan::quantize {

/// Codes of rows [rows, d] of a weight by GPTQ (Frantar et al. 2023, algorithm 1): in the order of decreasing moments,
/// each value goes to its nearest code, and what it adds to the squared output error is taken up by the values still to
/// come, through the inverse of the moments, damped by 1 % of their mean; of what clipping takes off a weight no more
/// than 16 scales. Where all moments are 0 the nearest codes. `moments`: float64 [d, d], which are used up: beside them
/// and two copies of the rows in double precision little is taken. `grid`: any format with scales.
at::Tensor CodesByGptq(const at::Tensor& rows, const RowGrid& grid, at::Tensor moments);

}  // namespace bitplan::quantize
