// Without LibTorch's headers, and at -O3, so that the loop is vectorized.
#include "quantize/round_to_grid.h"

#include <bit>

namespace bitplan {

namespace {

// Added to a number below 2^22, this leaves no bits for a fraction: the sum is rounded to even, as every float sum is.
constexpr float kNoFraction = 12582912.0F;  // 1.5 · 2^23

}  // namespace

void RoundToGrid(const float* __restrict from, float* __restrict to, const std::int64_t count, const Grid grid) {
  const float inverse = 1.0F / grid.scale;
  for (std::int64_t i = 0; i < count; ++i) {
    float steps = from[i] * inverse;
    steps = steps < grid.low ? grid.low : steps;
    steps = steps > grid.high ? grid.high : steps;
    to[i] = ((steps + kNoFraction) - kNoFraction) * grid.scale;
  }
}

void GradientOnGrid(const float* __restrict x, const float* __restrict gradient, float* __restrict to,
                    const std::int64_t count, const Grid grid) {
  const float inverse = 1.0F / grid.scale;
  for (std::int64_t i = 0; i < count; ++i) {
    const float steps = ((x[i] * inverse) + kNoFraction) - kNoFraction;
    to[i] = steps >= grid.low && steps <= grid.high ? gradient[i] : 0.0F;
  }
}

void RoundToMinifloats(const float* __restrict from, float* __restrict to, const std::int64_t count,
                       const Minifloats levels) {
  constexpr std::uint32_t kExponent = 0x7F800000U;
  for (std::int64_t i = 0; i < count; ++i) {
    float ratio = from[i] / levels.scale;
    ratio = ratio < -levels.largest ? -levels.largest : ratio;
    ratio = ratio > levels.largest ? levels.largest : ratio;
    const float power = std::bit_cast<float>(std::bit_cast<std::uint32_t>(ratio) & kExponent);  // 2^⌊log2 |ratio|⌋
    const float no_fraction = kNoFraction * (levels.step * (power < levels.least_normal ? levels.least_normal : power));
    to[i] = ((ratio + no_fraction) - no_fraction) * levels.scale;
  }
}

}  // namespace bitplan
