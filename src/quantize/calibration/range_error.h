#pragma once

#include <vector>

#include "bitplan/format.h"
#include "quantize/calibration/distribution.h"
#include "quantize/calibration/range.h"

namespace bitplan {

/// Mean squared error of rounding and clipping, from prefix sums: time is that of the grid's levels, not of the values.
class SquaredError {
 public:
  explicit SquaredError(const Distribution& distribution);
  double operator()(const QuantizationRange& range, const Format& format) const;

 private:
  std::vector<double> values_, count_, sum_, square_;  // the last three summed over all values before
};

/// KL divergence between the histogram before and after quantization (Migacz, "8-bit inference with TensorRT", GTC 2017): P
/// is the histogram with what is clipped added to its end bins, Q the mass inside the range collapsed to the grid's levels and
/// spread again evenly over the bins that hold anything.
class Divergence {
 public:
  explicit Divergence(const Distribution& distribution);
  double operator()(const QuantizationRange& range, const Format& format) const;

 private:
  std::vector<double> values_, mass_;  // bin centers and shares of the mass
};

}  // namespace bitplan
