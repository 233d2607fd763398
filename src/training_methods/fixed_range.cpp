#include "fixed_range.h"

#include <ATen/ATen.h>

#include "learnable_grid.h"
#include "learned_numbers.h"
#include "quantize/weight_grid.h"

namespace bitplan::training_methods {

void FixedWeight::Initialize(const at::Tensor& w) {
  grid_ = quantize::FindGrids(w, {format_}, channel_axis_).front();
  started_ = true;
}

void FixedWeight::Finish() { CheckStarted(started_); }

at::Tensor FixedWeight::operator()(const at::Tensor& w, bool /*training*/) {
  return format_.HasScale() ? quantize::FakeQuantizeWeight(w, grid_, {}) : FakeQuantize(w, format_, {});
}

std::vector<QuantizerTensor> FixedWeight::tensors() {
  std::vector<QuantizerTensor> all;
  if (grid_.scale.defined()) all.push_back({"scale", grid_.scale, 0, false});
  if (grid_.zero_point.defined()) all.push_back({"zero_point", grid_.zero_point, 0, false});
  if (grid_.threshold.defined()) all.push_back({"threshold", grid_.threshold, 0, false});
  return all;
}

std::pair<Format, LearnedGrid> FixedWeight::Grid(const at::Tensor& /*w*/) const {
  return {format_, format_.HasScale() ? ToLearnedGrid(grid_) : LearnedGrid{}};
}

void FixedInput::Finish() {
  calibration::QuantizationRange range;
  const bool below_zero = first_.GoBelowZero();
  if (format_.HasScale() && format_.calibrator != Calibrator::Dynamic)
    range = first_.RangeOf(format_.IsInteger() ? GridAround(format_, below_zero).format : format_);
  scale_ = QuantizerNumber(range.scale, false);
  zero_point_ = QuantizerNumber(static_cast<double>(range.zero_point), false);
  below_zero_ = QuantizerNumber(below_zero ? 1 : 0, false);
}

at::Tensor FixedInput::operator()(const at::Tensor& x, bool /*training*/) {
  const auto [format, range] = Range();
  return FakeQuantize(x, format, range);
}

std::vector<QuantizerTensor> FixedInput::tensors() {
  return {{"scale", scale_, 0, false}, {"zero_point", zero_point_, 0, false}, {"below_zero", below_zero_, 0, false}};
}

std::pair<Format, ActivationRange> FixedInput::Range() const {
  if (!format_.IsInteger() || format_.calibrator == Calibrator::Dynamic) return {format_, {ToDouble(scale_), 0}};
  return {GridAround(format_, ToDouble(below_zero_) != 0).format,
          {ToDouble(scale_), static_cast<std::int64_t>(ToDouble(zero_point_))}};
}

}  // namespace bitplan::training_methods
