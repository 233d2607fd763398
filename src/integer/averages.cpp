#include "averages.h"

#include <ATen/ATen.h>

#include "multiplier.h"

namespace bitplan::integer {

at::Tensor AdaptiveCounts(at::IntArrayRef input, at::IntArrayRef output) {
  at::Tensor counts = at::ones({}, at::kDouble);
  for (std::size_t axis = 0; axis < input.size(); ++axis) {
    at::Tensor along = at::empty({output[axis]}, at::kDouble);
    for (std::int64_t i = 0; i < output[axis]; ++i) {
      const std::int64_t begin = i * input[axis] / output[axis];
      const std::int64_t end = ((i + 1) * input[axis] + output[axis] - 1) / output[axis];
      along[i] = static_cast<double>(end - begin);
    }
    counts = counts.unsqueeze(-1) * along;
  }
  return counts;
}

at::Tensor RoundedAverages(const at::Tensor& averages, const at::Tensor& counts, int multiplier_bits) {
  const at::Tensor each = counts.expand_as(averages).contiguous();
  const at::Tensor sums = (averages * each).round_().to(at::kLong).contiguous();
  at::Tensor result = at::empty(sums.sizes(), at::kInt);
  const auto* const sum = sums.const_data_ptr<std::int64_t>();
  const auto* const count = each.const_data_ptr<double>();
  auto* const out = result.mutable_data_ptr<std::int32_t>();
  for (std::int64_t i = 0; i < sums.numel(); ++i)
    out[i] = static_cast<std::int32_t>(Multiplied(sum[i], MultiplierOf(1 / count[i], multiplier_bits)));
  return result;
}

}  // namespace bitplan::integer
