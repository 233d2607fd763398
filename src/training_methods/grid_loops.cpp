// Without LibTorch's headers, and at -O3, so that the loops are vectorized.
#include "grid_loops.h"

#include <algorithm>

#include "simd/no_fraction.h"
#include "simd/vector_clones.h"
#include "tuning.h"

namespace bitplan::training_methods {

namespace {

using simd::kNoFraction;
// The same for numbers below 2^51.
constexpr double kNoFractionDouble = 6755399441055744.0;  // 1.5 · 2^52

/// Σ of tuning::kBlock numbers.
double Sum(const float* values) {
  float lanes[tuning::kLanes] = {};
  for (std::int64_t i = 0; i < tuning::kBlock; i += tuning::kLanes)
    for (int lane = 0; lane < tuning::kLanes; ++lane) lanes[lane] += values[i + lane];
  double sum = 0;
  for (const float lane : lanes) sum += static_cast<double>(lane);
  return sum;
}

/// At most tuning::kBlock values.
BITPLAN_VECTOR_CLONES
GridSums BlockGradient(const float* __restrict x, const float* __restrict gradient, float* __restrict to,
                       const std::int64_t count, const quantize::Grid grid) {
  float residue[tuning::kBlock], below[tuning::kBlock], above[tuning::kBlock];
  const float inverse = 1.0F / grid.scale;
  for (std::int64_t i = 0; i < count; ++i) {
    const float v = x[i] * inverse, g = gradient[i];
    const float inside = v > grid.low && v < grid.high ? g : 0.0F;
    to[i] = inside;
    residue[i] = inside * (((v + kNoFraction) - kNoFraction) - v);
    below[i] = v <= grid.low ? g : 0.0F;
    above[i] = v >= grid.high ? g : 0.0F;
  }
  for (float* const terms : {residue, below, above}) std::fill(terms + count, terms + tuning::kBlock, 0.0F);
  return {Sum(residue), Sum(below), Sum(above)};
}

}  // namespace

GridSums& GridSums::operator+=(const GridSums& other) {
  residue += other.residue;
  below += other.below;
  above += other.above;
  return *this;
}

BITPLAN_VECTOR_CLONES
void RoundToGridExactly(const float* __restrict from, float* __restrict to, const std::int64_t count,
                        const quantize::Grid grid) {
  const auto scale = static_cast<double>(grid.scale);
  const auto low = static_cast<double>(grid.low), high = static_cast<double>(grid.high);
  for (std::int64_t i = 0; i < count; ++i) {
    double steps = static_cast<double>(from[i]) / scale;
    steps = steps < low ? low : steps;
    steps = steps > high ? high : steps;
    to[i] = static_cast<float>((steps + kNoFractionDouble) - kNoFractionDouble) * grid.scale;
  }
}

GridSums GridGradient(const float* x, const float* gradient, float* to, const std::int64_t count,
                      const quantize::Grid grid) {
  GridSums sums;
  for (std::int64_t begin = 0; begin < count; begin += tuning::kBlock)
    sums += BlockGradient(x + begin, gradient + begin, to + begin, std::min(tuning::kBlock, count - begin), grid);
  return sums;
}

}  // namespace bitplan::training_methods
