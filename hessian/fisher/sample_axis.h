#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>

namespace bitplan::hessian {

/// Axis along which a tensor of one sample and one of two differ by a factor of two; −1: none, or not so simple.
inline std::int64_t SampleAxis(at::IntArrayRef of_one, at::IntArrayRef of_two) {
  if (of_one.size() != of_two.size()) return -1;
  std::int64_t found = -1;
  for (std::size_t axis = 0; axis < of_one.size(); ++axis) {
    if (of_one[axis] == of_two[axis]) continue;
    if (found >= 0 || of_one[axis] != 1 || of_two[axis] != 2) return -1;
    found = static_cast<std::int64_t>(axis);
  }
  return found;
}

}  // namespace bitplan::hessian
