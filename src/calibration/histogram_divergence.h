#pragma once

#include <vector>

#include "ascending_index.h"
#include "calibration/distribution.h"
#include "calibration/range.h"
#include "levels.h"

namespace bitplan::calibration {

/// KL(P ‖ Q) between a histogram before and after quantization to integers (Migacz, "8-bit inference with TensorRT",
/// GTC 2017): P is the histogram inside the grid's range with the mass outside added to its end bins; Q is the mass
/// inside, collapsed to the grid's levels and spread again evenly over the bins of each level that hold anything.
///
/// Zeros are left out: every grid holds 0.0 exactly, and the spike that ReLU makes there would ask for ever finer
/// steps.
class HistogramDivergence {
 public:
  explicit HistogramDivergence(const Distribution& distribution);

  /// Infinite when fewer bins that hold anything lie inside the range than the grid has levels: such a range would look
  /// lossless because there is next to nothing left in it.
  double operator()(const QuantizationRange& range, const Levels& levels, double limit) const;

 private:
  AscendingIndex index_;                // centers of the bins that hold anything
  std::vector<double> mass_, entropy_;  // Σ p, Σ p log p over all bins before
};

}  // namespace bitplan::calibration
