#include "quantize/dynamic_range.h"

#include <ATen/ATen.h>

#include <cmath>

#include "calibration/range.h"

namespace bitplan::quantize {

Format DynamicFormat() {
  Format format = DefaultActivationFormat();
  format.calibrator = Calibrator::Dynamic;
  return format;
}

ActivationRange DynamicRange(const at::Tensor& x, const Format& format) {
  if (x.numel() == 0) return {};
  const auto [low, high] = at::aminmax(x.detach());
  const auto min = low.item<double>(), max = high.item<double>();
  if (!std::isfinite(min) || !std::isfinite(max)) return {};
  const calibration::QuantizationRange range = calibration::RangeCovering(min, max, format);
  return {range.scale, range.zero_point};
}

}  // namespace bitplan::quantize
