#pragma once

namespace bitplan::simd {

/// Added to a number below 2^22, and taken away again, 1.5 · 2^23 leaves the integer nearest to it, of two the even
/// one: the sum has no bits for a fraction, and is rounded to even as every float sum is. Loops that do so are
/// vectorized.
inline constexpr float kNoFraction = 12582912.0F;

}  // namespace bitplan::simd
