#pragma once

#include <cstdint>

#include "quantize/round_to_grid.h"

namespace bitplan::training_methods {

/// to[i] = scale · clamp(round_half_even(from[i] / scale), low, high), the quotient in double precision as weights'
/// codes are found. NaN stays NaN. The two may not overlap.
void RoundToGridExactly(const float* from, float* to, std::int64_t count, quantize::Grid grid);

/// What gradients of a grid's numbers are made of, with v = x / scale and the gradient g of each value.
struct GridSums {
  double residue = 0;  ///< Σ g (round(v) − v), low < v < high
  double below = 0;    ///< Σ g, v ≤ low
  double above = 0;    ///< Σ g, v ≥ high

  GridSums& operator+=(const GridSums& other);
};

/// to[i] = gradient[i] where low < v < high, 0 elsewhere, and the sums. `to` may overlap neither of the others.
GridSums GridGradient(const float* x, const float* gradient, float* to, std::int64_t count, quantize::Grid grid);

}  // namespace bitplan::training_methods
