#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

namespace bitplan::test {

/// All values in row-major order.
inline std::vector<double> Values(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.to(at::kDouble).contiguous();
  return {flat.const_data_ptr<double>(), flat.const_data_ptr<double>() + flat.numel()};
}

inline std::vector<std::int64_t> Shape(const at::Tensor& tensor) { return tensor.sizes().vec(); }

}  // namespace bitplan::test
