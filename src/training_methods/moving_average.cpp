#include "moving_average.h"

#include <ATen/ATen.h>

#include <cmath>

#include "calibration/range.h"
#include "learnable_grid.h"
#include "learned_numbers.h"
#include "quantize/weight_grid.h"
#include "tuning.h"
#include "weight_parts.h"

namespace bitplan::training_methods {

namespace {

/// The same values, without a copy where they lie densely in any order of axes.
at::Tensor InOneRow(const at::Tensor& x) {
  return x.is_non_overlapping_and_dense() ? x.as_strided({x.numel()}, {1}) : x;
}

}  // namespace

void MinMaxWeight::Initialize(const at::Tensor& w) {
  quantize::CheckWeight(w, channel_axis_);
  started_ = true;
}

void MinMaxWeight::Finish() { CheckStarted(started_); }

QuantizedTensor MinMaxWeight::GridOf(const at::Tensor& w) const {
  const at::Tensor values = w.detach();
  const WeightParts parts(format_, channel_axis_, values);
  const std::vector<double> low = ToDoubles(parts.Min(values)), high = ToDoubles(parts.Max(values));
  QuantizedTensor grid;
  grid.format = format_;
  grid.channel_axis = parts.channel_axis();
  grid.scale = at::empty({parts.count()}, at::kFloat);
  grid.zero_point = at::zeros({parts.count()}, at::kInt);
  for (std::size_t part = 0; part < low.size(); ++part) {
    if (!std::isfinite(low[part]) || !std::isfinite(high[part])) {
      grid.scale.mutable_data_ptr<float>()[part] = std::nanf("");  // training that diverged shows
      continue;
    }
    const calibration::QuantizationRange range = calibration::RangeCovering(low[part], high[part], format_);
    grid.scale.mutable_data_ptr<float>()[part] = static_cast<float>(range.scale);
    grid.zero_point.mutable_data_ptr<int>()[part] = static_cast<int>(range.zero_point);
  }
  grid.scale = grid.scale.to(w.device());
  grid.zero_point = grid.zero_point.to(w.device());
  return grid;
}

at::Tensor MinMaxWeight::operator()(const at::Tensor& w, bool /*training*/) {
  return quantize::FakeQuantizeWeight(w, GridOf(w), {});
}

std::pair<Format, LearnedGrid> MinMaxWeight::Grid(const at::Tensor& w) const {
  return {format_, ToLearnedGrid(GridOf(w))};
}

void MovingAverageInput::Finish() {
  const calibration::Distribution values = first_.Values();
  low_ = QuantizerNumber(values.average.min, false);
  high_ = QuantizerNumber(values.average.max, false);
  below_zero_ = QuantizerNumber(values.min < 0 ? 1 : 0, false);
}

at::Tensor MovingAverageInput::operator()(const at::Tensor& x, bool training) {
  if (training && x.numel() > 0) {
    const at::NoGradGuard no_grad;
    const auto [low, high] = at::aminmax(InOneRow(x.detach()));
    if (std::isfinite(low.item<double>()) && std::isfinite(high.item<double>())) {
      low_.lerp_(low.view(1).to(low_), 1 - tuning::kAverageDecay);
      high_.lerp_(high.view(1).to(high_), 1 - tuning::kAverageDecay);
    }
  }
  const auto [format, range] = Range();
  return FakeQuantize(x, format, range);
}

std::vector<QuantizerTensor> MovingAverageInput::tensors() {
  return {{"low", low_, 0, false}, {"high", high_, 0, false}, {"below_zero", below_zero_, 0, false}};
}

std::pair<Format, ActivationRange> MovingAverageInput::Range() const {
  const Format format = format_.IsInteger() ? GridAround(format_, ToDouble(below_zero_) != 0).format : format_;
  const calibration::QuantizationRange range = calibration::RangeCovering(ToDouble(low_), ToDouble(high_), format);
  return {format, {range.scale, range.zero_point}};
}

}  // namespace bitplan::training_methods
