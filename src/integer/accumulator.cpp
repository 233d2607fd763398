#include "integer/accumulator.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

namespace bitplan {

Accumulated Accumulated::Zeros(at::IntArrayRef shape) {
  return {at::zeros(shape, at::kLong), at::zeros(shape, at::kBool)};
}

void Accumulated::Add(const at::Tensor& numbers, const Accumulator& accumulator) {
  const std::int64_t half = accumulator.Largest() + 1;
  const at::Tensor exact = sums + numbers;
  sums = accumulator.overflow == Overflow::Wrap ? (exact + half).bitwise_and_(2 * half - 1).sub_(half)
                                                : exact.clamp(-half, half - 1);
  overflowed.logical_or_(exact.ne(sums));
}

Accumulated SumInOrder(const at::Tensor& patches, const at::Tensor& weights, const Accumulator& accumulator) {
  const std::int64_t groups = weights.size(0), channels = weights.size(1), terms = weights.size(2),
                     length = patches.size(2);
  Accumulated result = Accumulated::Zeros({groups, channels, length});
  const at::Tensor x = patches.contiguous(), w = weights.contiguous();
  const auto* const inputs = x.const_data_ptr<std::int32_t>();
  const auto* const factors = w.const_data_ptr<std::int32_t>();
  auto* const sums = result.sums.mutable_data_ptr<std::int64_t>();
  bool* const overflowed = result.overflowed.mutable_data_ptr<bool>();
  at::parallel_for(0, groups * channels, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t channel = begin; channel < end; ++channel) {
      const std::int32_t* row = inputs + channel / channels * terms * length;
      std::int64_t* const sum = sums + channel * length;
      bool* const flag = overflowed + channel * length;
      for (std::int64_t k = 0; k < terms; ++k, row += length) {
        const std::int64_t factor = factors[channel * terms + k];
        for (std::int64_t l = 0; l < length; ++l) {
          const std::int64_t exact = sum[l] + factor * row[l];
          sum[l] = accumulator.Held(exact);
          flag[l] |= sum[l] != exact;
        }
      }
    }
  });
  return result;
}

}  // namespace bitplan
