#include "quantize/calibration/distribution.h"

#include <algorithm>
#include <cmath>

#include "bitplan/error.h"

namespace bitplan {

Distribution DistributionOf(std::span<const float> values) {
  if (values.empty()) throw Error("a tensor without elements cannot be calibrated");
  Distribution distribution;
  distribution.values.assign(values.begin(), values.end());
  if (!std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); }))
    throw Error("a tensor that holds NaN or an infinite value cannot be calibrated");
  std::sort(distribution.values.begin(), distribution.values.end());
  distribution.counts.assign(values.size(), 1.0);
  distribution.min = distribution.values.front();
  distribution.max = distribution.values.back();
  return distribution;
}

}  // namespace bitplan
