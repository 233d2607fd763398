// Without LibTorch's headers, and at -O3, so that the loops are vectorized.
#include "byte_loops.h"

#include "simd/no_fraction.h"
#include "simd/vector_clones.h"

namespace bitplan::fast {

namespace {

/// Written out in every loop: a call would keep it from being vectorized for the newer processors.
[[gnu::always_inline]] inline std::uint8_t ByteOf(float value, const ByteSteps& steps) {
  float step = value * steps.inverse_scale;
  step = step < steps.low ? steps.low : step;
  step = step > steps.high ? steps.high : step;
  return static_cast<std::uint8_t>(
      static_cast<std::int32_t>(((step + simd::kNoFraction) - simd::kNoFraction) + steps.zero));
}

[[gnu::always_inline]] inline float Clamped(float value, float least, float most) {
  value = value < least ? least : value;
  return value > most ? most : value;
}

}  // namespace

BITPLAN_VECTOR_CLONES
void RoundToBytes(const float* __restrict from, std::uint8_t* __restrict to, const std::int64_t count,
                  const ByteSteps steps) {
  for (std::int64_t i = 0; i < count; ++i) to[i] = ByteOf(from[i], steps);
}

BITPLAN_VECTOR_CLONES
void AddAndClamp(float* __restrict to, const float* __restrict other, const std::int64_t count, const float least,
                 const float most) {
  for (std::int64_t i = 0; i < count; ++i) to[i] = Clamped(to[i] + other[i], least, most);
}

BITPLAN_VECTOR_CLONES
void AddAndClampToBytes(float* __restrict to, const float* __restrict other, std::uint8_t* __restrict bytes,
                        const std::int64_t count, const float least, const float most, const ByteSteps steps) {
  for (std::int64_t i = 0; i < count; ++i) {
    to[i] = Clamped(to[i] + other[i], least, most);
    bytes[i] = ByteOf(to[i], steps);
  }
}

}  // namespace bitplan::fast
