#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

#include "bitplan/profile.h"
#include "network/layer_product.h"

namespace bitplan::profile {

/// Milliseconds of one call: the median of the repeats, and half their interquartile range.
struct KernelTime {
  double median = 0, spread = 0;
};

KernelTime TimeFloat(const network::LayerProduct& product, const at::Tensor& input, const at::Tensor& weight,
                     const LatencyOptions& options);

/// LibTorch's 8-bit kernel for the same product; nothing where there is none (transposed convolutions, products of
/// other forms).
std::optional<KernelTime> TimeInt8(const network::LayerProduct& product, const at::Tensor& input,
                                   const at::Tensor& weight, const LatencyOptions& options);

}  // namespace bitplan::profile
