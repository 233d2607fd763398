#pragma once

#include <algorithm>
#include <cstdint>

#include "bitplan/network.h"

namespace bitplan::hessian {

/// Elements of the largest weight of the network's layers.
inline std::int64_t LargestWeight(const Network& network) {
  std::int64_t largest = 0;
  for (const Layer& layer : network.layers()) largest = std::max(largest, network.Weight(layer).numel());
  return largest;
}

}  // namespace bitplan::hessian
