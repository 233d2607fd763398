// Without LibTorch's headers, and at -O3, so that the loop is vectorized.
#include "quantize/round_to_grid.h"

namespace bitplan {

void RoundToGrid(const float* __restrict from, float* __restrict to, const std::int64_t count, const Grid grid) {
  // Added to a number below 2^22, this leaves no bits for a fraction: the sum is rounded to even, as every float sum is.
  constexpr float kNoFraction = 12582912.0F;  // 1.5 · 2^23
  const float inverse = 1.0F / grid.scale;
  for (std::int64_t i = 0; i < count; ++i) {
    float steps = from[i] * inverse;
    steps = steps < grid.low ? grid.low : steps;
    steps = steps > grid.high ? grid.high : steps;
    to[i] = ((steps + kNoFraction) - kNoFraction) * grid.scale;
  }
}

}  // namespace bitplan
