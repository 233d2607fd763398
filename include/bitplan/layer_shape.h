#pragma once

#include <cstdint>

namespace bitplan {

/// What a layer is like, in the numbers that HAQ's agent sees (Wang et al., CVPR 2019, section 3.1).
struct LayerShape {
  std::int64_t input_channels = 1, output_channels = 1;  ///< ≥ 1; of a matrix its inputs and outputs
  std::int64_t kernel_size = 1;                          ///< longest side of the kernel, ≥ 1; of a matrix 1
  std::int64_t stride = 0;                               ///< the largest, ≥ 0; of a matrix 0
  std::int64_t feature_size = 1;                         ///< longest side of the input, ≥ 1; of a matrix its positions
  std::int64_t parameters = 1;                           ///< of the weight, ≥ 1; of several layers all together
  bool depthwise = false;                                ///< every input channel has a kernel of its own

  bool operator==(const LayerShape&) const = default;
};

}  // namespace bitplan
