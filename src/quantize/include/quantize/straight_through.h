#pragma once

#include <ATen/core/Tensor.h>

namespace bitplan::quantize {

/// `value`, with the gradient of `source` times `slope` (1 where undefined), if gradients are asked for. Exact: what is
/// added is a difference of equal numbers.
at::Tensor StraightThrough(const at::Tensor& value, const at::Tensor& source, const at::Tensor& slope = {});

}  // namespace bitplan::quantize
