#include "binary_weight.h"

#include <ATen/ATen.h>

#include "learned_numbers.h"
#include "quantize/straight_through.h"
#include "quantize/weight_grid.h"
#include "tuning.h"
#include "weight_parts.h"

namespace bitplan::training_methods {

void BinaryWeight::Initialize(const at::Tensor& w) {
  quantize::CheckWeight(w, channel_axis_);
  started_ = true;
}

void BinaryWeight::Finish() { CheckStarted(started_); }

at::Tensor BinaryWeight::Scale(const at::Tensor& w) const {
  const WeightParts parts(format_, channel_axis_, w);
  at::Tensor scale = QuantizerNumbers(parts.Sum(w.detach().abs()) / static_cast<double>(parts.size()), false);
  return scale.clamp_min_(tuning::kLeastScale);
}

at::Tensor BinaryWeight::operator()(const at::Tensor& w, bool /*training*/) {
  const at::Tensor values = w.detach();
  const WeightParts parts(format_, channel_axis_, values);
  const at::Tensor scale = parts.Along(Scale(values));
  const at::Tensor rounded = at::where(values.ge(0), scale, -scale);
  if (gradient_ == Gradient::Unchanged) return quantize::StraightThrough(rounded, w);
  const at::Tensor slope = values.abs().le(1) * scale + 1 / static_cast<double>(parts.size());
  return quantize::StraightThrough(rounded, w, slope);
}

std::pair<Format, LearnedGrid> BinaryWeight::Grid(const at::Tensor& w) const {
  return {format_, ToLearnedGrid(format_, Scale(w), 0)};
}

}  // namespace bitplan::training_methods
