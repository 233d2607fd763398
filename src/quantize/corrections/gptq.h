#pragma once

#include "bitplan/quantize.h"

namespace bitplan {

/// A weight [out, …] on its grid by GPTQ (Frantar et al. 2023, algorithm 1): in the order of decreasing moments, each
/// value goes to its nearest code, and what it adds to the squared output error is taken up by the values still to
/// come, through the inverse of the moments, damped by 1 % of their mean; of what clipping takes off a weight no more
/// than 16 scales. `moments`: as InputMoments gives. `grid`: of channels along axis 0, any format with scales.
QuantizedTensor RoundByGptq(const at::Tensor& weight, const QuantizedTensor& grid, const at::Tensor& moments);

}  // namespace bitplan
