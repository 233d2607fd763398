#pragma once

#include <cstdint>
#include <vector>

namespace bitplan::calibration {

/// Scales as 8-bit numbers with scales of their own: scale i = offset + block_scales[i / kBlock] · the E4M3 number
/// codes[i].
struct DoubleQuantizedScales {
  static constexpr std::size_t kBlock = 256;

  std::vector<std::uint8_t> codes;  ///< bit patterns of E4M3
  std::vector<float> block_scales;  ///< one for each kBlock scales, the last for those that are left
  float offset = 0;                 ///< the scales' mean
  std::vector<float> scales;        ///< what these say: each above 0
};

/// Double quantization of QLoRA (Dettmers et al. 2023, section 3), on 8-bit floats as there: the scales' mean is taken
/// off, and blocks of 256 are scaled by their largest magnitude. A scale that would round to 0 or less gets the least
/// number above. `scales` are above 0.
DoubleQuantizedScales DoubleQuantize(const std::vector<float>& scales);

}  // namespace bitplan::calibration
