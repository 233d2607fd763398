#include "lsq.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "learnable_grid.h"
#include "learned_numbers.h"
#include "quantize/weight_grid.h"
#include "weight_parts.h"

namespace bitplan::training_methods {

namespace {

double GradientScale(std::int64_t values, double largest) {
  return 1 / std::sqrt(static_cast<double>(std::max<std::int64_t>(1, values)) * largest);
}

}  // namespace

double InputGradientScale(const at::Tensor& x, double largest) {
  return GradientScale(x.dim() == 0 || x.size(0) == 0 ? 1 : x.numel() / x.size(0), largest);
}

at::Tensor LsqWeight::FirstScale(const at::Tensor& w) const {
  const WeightParts parts(format_, channel_axis_, w);
  const at::Tensor mean = parts.Sum(w.abs()) / static_cast<double>(parts.size());
  return 2 * mean / std::sqrt(GridAround(format_, true).High());
}

void LsqWeight::Initialize(const at::Tensor& w) {
  quantize::CheckWeight(w, channel_axis_);
  scale_ = QuantizerNumbers(FirstScale(w.detach()), true);
}

void LsqWeight::Finish() {
  CheckStarted(scale_.defined());
  KeepAboveZero(scale_);
}

at::Tensor LsqWeight::operator()(const at::Tensor& w, bool /*training*/) {
  const WeightParts parts(format_, channel_axis_, w);
  const LearnableGrid grid = GridAround(format_, true);
  return WeightOnGrid(w, scale_, parts.channel_axis(), grid.Rule(GradientScale(parts.size(), grid.High())));
}

void LsqWeight::AfterStep() { KeepAboveZero(scale_); }

std::pair<Format, LearnedGrid> LsqWeight::Grid(const at::Tensor& /*w*/) const {
  return {format_, ToLearnedGrid(format_, scale_, GridAround(format_, true).zero_point)};
}

void LsqInput::Finish() {
  const bool below_zero = first_.GoBelowZero();
  below_zero_ = QuantizerNumber(below_zero ? 1 : 0, false);
  scale_ = QuantizerNumber(2 * first_.MeanMagnitude() / std::sqrt(GridAround(format_, below_zero).High()), true);
  KeepAboveZero(scale_);
}

at::Tensor LsqInput::operator()(const at::Tensor& x, bool /*training*/) {
  const LearnableGrid grid = GridAround(format_, ToDouble(below_zero_) != 0);
  return InputOnGrid(x, scale_, grid.Rule(InputGradientScale(x, grid.High())));
}

void LsqInput::AfterStep() { KeepAboveZero(scale_); }

std::pair<Format, ActivationRange> LsqInput::Range() const {
  const LearnableGrid grid = GridAround(format_, ToDouble(below_zero_) != 0);
  return {grid.format, {ToDouble(scale_), grid.zero_point}};
}

}  // namespace bitplan::training_methods
