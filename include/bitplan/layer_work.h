#pragma once

#include <cstdint>
#include <string>

namespace bitplan {

/// What a layer computes and moves for one sample.
struct LayerWork {
  std::string name;
  std::int64_t macs = 0;     ///< multiply-accumulates
  std::int64_t weights = 0;  ///< elements, each read once
  std::int64_t inputs = 0;   ///< elements, each read once
  std::int64_t outputs = 0;  ///< elements, each written once, at the width of the input
};

}  // namespace bitplan
