#include "quantize/squared_norm.h"

#include <ATen/ATen.h>

#include "tuning.h"

namespace bitplan::quantize {

double SquaredNorm(const at::Tensor& x) {
  const at::Tensor values =
      x.is_non_overlapping_and_dense() ? x.as_strided({x.numel()}, {1}) : x.reshape(-1);  // in any order
  double sum = 0;
  for (const at::Tensor& part : values.split(tuning::kDoublesAtOnce))
    sum += part.to(at::kDouble).square_().sum().item<double>();
  return sum;
}

}  // namespace bitplan::quantize
