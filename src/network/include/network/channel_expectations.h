#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

#include "bitplan/network.h"

namespace bitplan::network {

/// The mean of every channel of what the layer's first use reads, float64 [channels], as the batch norms before it tell
/// it (Nagel et al. 2019, section 4.2.1 and appendix C): a batch norm's output is normal with mean β and deviation |γ|,
/// a ReLU clips the normal distribution, sums add means and variances. Nothing where the channels come from anything
/// else.
std::optional<at::Tensor> ExpectedInput(const Network& network, std::size_t layer);

}  // namespace bitplan::network
