#pragma once

#include <cstdint>

namespace bitplan {

/// Multiples of `scale` from `low` to `high`, both whole numbers below 2^22.
struct Grid {
  float scale = 1, low = 0, high = 0;
};

/// to[i] = from[i] on the grid: scale · round_half_even(clamp(from[i] · (1 / scale), low, high)). The two may not overlap.
void RoundToGrid(const float* from, float* to, std::int64_t count, Grid grid);

}  // namespace bitplan
