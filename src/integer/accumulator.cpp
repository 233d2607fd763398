#include "accumulator.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <limits>

#include "ordered_sums.h"

namespace bitplan::integer {

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

namespace {

/// The largest that a partial sum before it is held can be.
std::int64_t Farthest(const at::Tensor& patches, const at::Tensor& weights, const Accumulator& accumulator) {
  const auto magnitude = [](const at::Tensor& numbers) {
    return numbers.numel() > 0 ? numbers.abs().max().item<std::int64_t>() : 0;
  };
  return magnitude(patches) * magnitude(weights) + 2 * accumulator.Largest() + 2;
}

template <typename Register>
Accumulated SumIn(const at::Tensor& patches, const at::Tensor& weights, const Accumulator& accumulator) {
  const std::int64_t groups = weights.size(0), channels = weights.size(1), terms = weights.size(2),
                     length = patches.size(2);
  const at::Tensor sums = at::zeros({groups, channels, length}, c10::CppTypeToScalarType<Register>::value),
                   overflowed = at::zeros_like(sums);
  const auto* const inputs = patches.const_data_ptr<std::int32_t>();
  const auto* const factors = weights.const_data_ptr<std::int32_t>();
  auto* const sum = sums.mutable_data_ptr<Register>();
  auto* const lost = overflowed.mutable_data_ptr<Register>();
  const auto half = static_cast<Register>(accumulator.Largest() + 1);
  const bool wrap = accumulator.overflow == Overflow::Wrap;
  at::parallel_for(0, groups * channels, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t channel = begin; channel < end; ++channel) {
      const std::int32_t* const rows = inputs + channel / channels * terms * length;
      for (std::int64_t k = 0; k < terms; ++k)
        AddProducts(sum + channel * length, lost + channel * length, rows + k * length, factors[channel * terms + k],
                    length, half, wrap);
    }
  });
  return {sums.to(at::kLong), overflowed.to(at::kBool)};
}

}  // namespace

Accumulated SumInOrder(const at::Tensor& patches, const at::Tensor& weights, const Accumulator& accumulator) {
  const at::Tensor x = patches.contiguous(), w = weights.contiguous();
  return Farthest(x, w, accumulator) <= std::numeric_limits<std::int32_t>::max()
             ? SumIn<std::int32_t>(x, w, accumulator)
             : SumIn<std::int64_t>(x, w, accumulator);
}

}  // namespace bitplan::integer
