#pragma once

#include <cstdint>

namespace bitplan::fast {

/// Numbers in steps of a scale, as bytes.
struct ByteSteps {
  float inverse_scale = 1;
  float low = 0, high = 255;  ///< bounds of the steps, whole numbers
  float zero = 0;             ///< the byte that stands for 0.0: a step is its byte less this
};

/// to[i] = round_half_even(clamp(from[i] · inverse_scale, low, high)) + zero: the rule of RoundToGrid
/// (quantize/round_to_grid.h). The two may not overlap.
void RoundToBytes(const float* from, std::uint8_t* to, std::int64_t count, ByteSteps steps);

/// to[i] = clamp(to[i] + other[i], least, most).
void AddAndClamp(float* to, const float* other, std::int64_t count, float least, float most);

/// The same, and the bytes of what comes out.
void AddAndClampToBytes(float* to, const float* other, std::uint8_t* bytes, std::int64_t count, float least, float most,
                        ByteSteps steps);

}  // namespace bitplan::fast
