#pragma once

#include <limits>
#include <vector>

#include "ascending_index.h"
#include "calibration/distribution.h"
#include "calibration/range.h"
#include "levels.h"

namespace bitplan::calibration {

/// Squared error of rounding and clipping, from prefix sums: its time is that of the grid's levels, not of the values.
class SquaredError {
 public:
  explicit SquaredError(const Distribution& distribution);

  /// Mean of (x − x̂)² on the grid. Where clipping alone costs `limit` or more, what clipping costs.
  double operator()(const QuantizationRange& range, const Levels& levels,
                    double limit = std::numeric_limits<double>::infinity()) const;

  /// The scale with the least squared error for the levels that `range` gives the values: Σ kx / Σ k², k the level.
  /// The scale of `range` where all of these levels are 0.
  double BestScale(const QuantizationRange& range, const Levels& levels) const;

 private:
  /// Σ (x − value)² over the values [from, to).
  double ErrorAt(double value, std::size_t from, std::size_t to) const;

  AscendingIndex index_;
  std::vector<double> count_, sum_, square_;  // Σ 1, Σ x, Σ x² over all values before
};

}  // namespace bitplan::calibration
