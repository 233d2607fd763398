// Without LibTorch's headers, and at -O3, so that the loop is vectorized.
#include "quantize/round_to_grid.h"

#include <bit>

#include "simd/no_fraction.h"
#include "simd/vector_clones.h"

namespace bitplan::quantize {

using simd::kNoFraction;

BITPLAN_VECTOR_CLONES
void RoundToGrid(const float* __restrict from, float* __restrict to, const std::int64_t count, const Grid grid) {
  const float inverse = 1.0F / grid.scale;
  for (std::int64_t i = 0; i < count; ++i) {
    float steps = from[i] * inverse;
    steps = steps < grid.low ? grid.low : steps;
    steps = steps > grid.high ? grid.high : steps;
    to[i] = ((steps + kNoFraction) - kNoFraction) * grid.scale;
  }
}

BITPLAN_VECTOR_CLONES
void GradientOnGrid(const float* __restrict x, const float* __restrict gradient, float* __restrict to,
                    const std::int64_t count, const Grid grid) {
  const float inverse = 1.0F / grid.scale;
  for (std::int64_t i = 0; i < count; ++i) {
    const float steps = ((x[i] * inverse) + kNoFraction) - kNoFraction;
    to[i] = steps >= grid.low && steps <= grid.high ? gradient[i] : 0.0F;
  }
}

BITPLAN_VECTOR_CLONES
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

BITPLAN_VECTOR_CLONES
void RoundToPowersOfTwo(const float* __restrict from, float* __restrict to, const std::int64_t count,
                        const PowersOfTwo levels) {
  constexpr std::uint32_t kSign = 0x80000000U, kExponent = 0x7F800000U, kBelowHalf = 0x003FFFFFU;
  const std::uint32_t least = std::bit_cast<std::uint32_t>(levels.least);
  const std::uint32_t odd =
      (least >> 23) + 1;  // so that the code of 2^e, 1 for the least, is even where (exponent + odd) is
  for (std::int64_t i = 0; i < count; ++i) {
    const float ratio = from[i] / levels.scale;
    const std::uint32_t bits = std::bit_cast<std::uint32_t>(ratio), magnitude = bits & ~kSign;
    std::uint32_t power = (magnitude + kBelowHalf + (((magnitude >> 23) + odd) & 1U)) & kExponent;
    power = power < least ? least : power;
    power = power > std::bit_cast<std::uint32_t>(1.0F) ? std::bit_cast<std::uint32_t>(1.0F) : power;
    power = magnitude <= least - (1U << 23) ? 0 : power;                      // up to half of the least
    const float level = std::bit_cast<float>(power | (bits & kSign)) + 0.0F;  // −0 becomes 0
    to[i] = ratio == ratio ? level * levels.scale : ratio;
  }
}

}  // namespace bitplan::quantize
