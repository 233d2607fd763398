#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "bitplan/layer_work.h"

namespace bitplan::cost {

/// Bytes of so many elements, packed.
inline double PackedBytes(std::int64_t elements, int bits) {
  return std::ceil(static_cast<double>(elements) * bits / 8);
}

inline std::vector<std::string> NamesOf(const std::vector<LayerWork>& layers) {
  std::vector<std::string> names;
  for (const LayerWork& layer : layers) names.push_back(layer.name);
  return names;
}

}  // namespace bitplan::cost
