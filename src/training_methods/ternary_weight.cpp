#include "ternary_weight.h"

#include <ATen/ATen.h>

#include "learned_numbers.h"
#include "quantize/straight_through.h"
#include "quantize/weight_grid.h"
#include "weight_parts.h"

namespace bitplan::training_methods {

namespace {

/// Mean magnitude of the weights that `chosen` says, in a shape that broadcasts over the weight; NaN where there are
/// none.
at::Tensor MeanMagnitude(const at::Tensor& w, const at::Tensor& chosen, const WeightParts& parts) {
  return parts.Sum(w.abs() * chosen) / parts.Sum(chosen);
}

}  // namespace

void TwnWeight::Initialize(const at::Tensor& w) {
  quantize::CheckWeight(w, channel_axis_);
  started_ = true;
}

void TwnWeight::Finish() { CheckStarted(started_); }

TwnWeight::Levels TwnWeight::LevelsOf(const at::Tensor& w) const {
  const WeightParts parts(format_, channel_axis_, w);
  const at::Tensor mean = parts.Sum(w.abs()) / static_cast<double>(parts.size());
  const at::Tensor threshold = (0.7 * mean).to(at::kFloat);
  Levels levels{QuantizerNumbers(MeanMagnitude(w, w.abs().gt(threshold), parts), false), threshold.flatten()};
  KeepAboveZero(levels.scale);
  return levels;
}

at::Tensor TwnWeight::operator()(const at::Tensor& w, bool /*training*/) {
  const at::Tensor values = w.detach();
  const WeightParts parts(format_, channel_axis_, values);
  const Levels levels = LevelsOf(values);
  const at::Tensor kept = values.abs().gt(parts.Along(levels.threshold));
  return quantize::StraightThrough(values.sign() * kept * parts.Along(levels.scale), w);
}

std::pair<Format, LearnedGrid> TwnWeight::Grid(const at::Tensor& w) const {
  const Levels levels = LevelsOf(w.detach());
  return {format_, {ToDoubles(levels.scale), {}, ToDoubles(levels.threshold), {}}};
}

void TtqWeight::Initialize(const at::Tensor& w) {
  quantize::CheckWeight(w, channel_axis_);
  const at::Tensor values = w.detach();
  const WeightParts parts(format_, channel_axis_, values);
  const at::Tensor threshold = Threshold(values);
  positive_scale_ = QuantizerNumbers(MeanMagnitude(values, values.gt(threshold), parts), true);
  negative_scale_ = QuantizerNumbers(MeanMagnitude(values, values.lt(-threshold), parts), true);
}

void TtqWeight::Finish() {
  CheckStarted(positive_scale_.defined());
  AfterStep();
}

at::Tensor TtqWeight::Threshold(const at::Tensor& w) const {
  return WeightParts(format_, channel_axis_, w).Max(w.abs()) * 0.05F;
}

at::Tensor TtqWeight::operator()(const at::Tensor& w, bool /*training*/) {
  const at::Tensor values = w.detach();
  const WeightParts parts(format_, channel_axis_, values);
  const at::Tensor threshold = Threshold(values);
  const at::Tensor above = values.gt(threshold), below = values.lt(-threshold);
  const at::Tensor positive = parts.Along(positive_scale_), negative = parts.Along(negative_scale_);
  const at::Tensor slope = at::where(above, positive.detach(), at::where(below, negative.detach(), 1.0F));
  return quantize::StraightThrough(above * positive - below * negative, w, slope);
}

void TtqWeight::AfterStep() {
  KeepAboveZero(positive_scale_);
  KeepAboveZero(negative_scale_);
}

std::pair<Format, LearnedGrid> TtqWeight::Grid(const at::Tensor& w) const {
  return {format_, {ToDoubles(positive_scale_), {}, ToDoubles(Threshold(w.detach())), ToDoubles(negative_scale_)}};
}

}  // namespace bitplan::training_methods
