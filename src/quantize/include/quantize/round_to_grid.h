#pragma once

#include <cstdint>

namespace bitplan::quantize {

/// Multiples of `scale` from `low` to `high`, both whole numbers below 2^22.
struct Grid {
  float scale = 1, low = 0, high = 0;
};

/// to[i] = from[i] on the grid: scale · round_half_even(clamp(from[i] · (1 / scale), low, high)). The two may not
/// overlap.
void RoundToGrid(const float* from, float* to, std::int64_t count, Grid grid);

/// to[i] = gradient[i] where round_half_even(x[i] · (1 / scale)) lies on the grid, 0 elsewhere. `to` may overlap
/// neither of the others.
void GradientOnGrid(const float* x, const float* gradient, float* to, std::int64_t count, Grid grid);

/// Floating-point numbers of few bits, times `scale`.
struct Minifloats {
  float scale = 1;
  float largest = 0;       ///< level
  float least_normal = 0;  ///< level, a power of two
  float step = 0;          ///< of numbers in [1, 2), a power of two
};

/// to[i] = scale · the level nearest to from[i] / scale, of two as near the one with the even mantissa. NaN stays NaN.
/// The two may not overlap.
void RoundToMinifloats(const float* from, float* to, std::int64_t count, Minifloats levels);

/// 0 and ±2^k from `least` to 1, times `scale`.
struct PowersOfTwo {
  float scale = 1;
  float least = 1;  ///< a power of two, not subnormal
};

/// to[i] = scale · the level nearest to from[i] / scale, of two as near the one with the even code: 0 for zero, 1 for
/// the least magnitude, 2 for the next. NaN stays NaN. The two may not overlap.
void RoundToPowersOfTwo(const float* from, float* to, std::int64_t count, PowersOfTwo levels);

}  // namespace bitplan::quantize
