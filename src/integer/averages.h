#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace bitplan::integer {

/// How many elements each output of an adaptive pool averages, float64 in the shape of its spatial axes: window i of n
/// out of length L goes from ⌊i L / n⌋ to ⌈(i + 1) L / n⌉.
at::Tensor AdaptiveCounts(at::IntArrayRef input, at::IntArrayRef output);

/// Averages of integers as integers: `averages`, float64, of `counts` integers each (broadcast), become their sums,
/// exactly, times a multiplier of so many bits for 1 / count, rounded half to even. int32.
at::Tensor RoundedAverages(const at::Tensor& averages, const at::Tensor& counts, int multiplier_bits);

}  // namespace bitplan::integer
