#pragma once

#include <functional>

#include "bitplan/network.h"

namespace bitplan::network {

/// Runs what differentiates the network's output. Throws Error in place of LibTorch's where the network writes in place
/// to what a derivative needs, naming the operator and the layer before it.
void Differentiate(const Network& network, const std::function<void()>& derivatives);

}  // namespace bitplan::network
