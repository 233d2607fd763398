#include "lsq_plus.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "learnable_grid.h"
#include "learned_numbers.h"
#include "weight_parts.h"

namespace bitplan::training_methods {

at::Tensor LsqPlusWeight::FirstScale(const at::Tensor& w) const {
  const WeightParts parts(format_, channel_axis_, w);
  const auto size = static_cast<double>(parts.size());
  const at::Tensor mean = parts.Sum(w) / size;
  const at::Tensor deviation = (parts.Sum((w - mean).square()) / size).sqrt();
  return at::maximum((mean - 3 * deviation).abs(), (mean + 3 * deviation).abs()) / std::exp2(format_.bits - 1);
}

void LsqPlusInput::Finish() {
  const bool below_zero = first_.GoBelowZero();
  const LearnableGrid grid = GridAround(format_, below_zero);
  const calibration::QuantizationRange range = first_.RangeOf(format_.HasZeroPoint() ? format_ : grid.format);
  scale_ = QuantizerNumber(range.scale, true);
  offset_ = QuantizerNumber(-range.scale * static_cast<double>(range.zero_point), format_.HasZeroPoint());
  below_zero_ = QuantizerNumber(below_zero ? 1 : 0, false);
  KeepAboveZero(scale_);
}

at::Tensor LsqPlusInput::operator()(const at::Tensor& x, bool /*training*/) {
  const auto [format, range] = Range();
  const LearnableGrid grid{format, range.zero_point};
  if (!format_.HasZeroPoint()) return InputOnGrid(x, scale_, grid.Rule(InputGradientScale(x, grid.High())));
  GridRule rule = grid.Rule(InputGradientScale(x, static_cast<double>(format.QuantMax())));
  rule.below = 0;
  rule.above = static_cast<double>(format.QuantMax());
  return InputOnGrid(x, scale_, rule, offset_);
}

void LsqPlusInput::AfterStep() { KeepAboveZero(scale_); }

std::vector<QuantizerTensor> LsqPlusInput::tensors() {
  return {{"scale", scale_}, {"offset", offset_, 0, format_.HasZeroPoint()}, {"below_zero", below_zero_, 0, false}};
}

std::pair<Format, ActivationRange> LsqPlusInput::Range() const {
  const double scale = ToDouble(scale_);
  if (!format_.HasZeroPoint()) return {GridAround(format_, ToDouble(below_zero_) != 0).format, {scale, 0}};
  const auto largest = static_cast<double>(format_.QuantMax());
  const double zero_point = std::clamp(std::nearbyint(-ToDouble(offset_) / scale), 0.0, largest);
  return {format_, {scale, static_cast<std::int64_t>(zero_point)}};
}

}  // namespace bitplan::training_methods
