#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace bitplan::quantize {

/// Inputs [N, …] of a network, so many samples at a time.
std::vector<std::vector<at::Tensor>> InPasses(const std::vector<at::Tensor>& inputs, std::int64_t samples_a_pass);

/// The first so many samples.
std::vector<at::Tensor> FirstSamples(const std::vector<at::Tensor>& inputs, std::int64_t count);

}  // namespace bitplan::quantize
