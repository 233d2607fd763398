#include "dorefa.h"

#include <ATen/ATen.h>

#include "learnable_grid.h"
#include "learned_numbers.h"
#include "quantize/weight_grid.h"
#include "tuning.h"
#include "weight_parts.h"

namespace bitplan::training_methods {

namespace {

/// tanh(w) / max |tanh(w)|; 0 where all weights are 0.
at::Tensor Squeezed(const at::Tensor& w, const WeightParts& parts) {
  const at::Tensor squeezed = w.tanh();
  return squeezed / parts.Max(squeezed.abs()).clamp_min(tuning::kLeastScale);
}

}  // namespace

void DoReFaWeight::Initialize(const at::Tensor& w) {
  quantize::CheckWeight(w, channel_axis_);
  const at::NoGradGuard no_grad;
  const WeightParts parts(format_, channel_axis_, w);
  const at::Tensor squeezed = Squeezed(w, parts);
  factor_ = QuantizerNumbers(parts.Sum(w * squeezed) / parts.Sum(squeezed.square()), false);
}

void DoReFaWeight::Finish() {
  CheckStarted(factor_.defined());
  KeepAboveZero(factor_);
}

at::Tensor DoReFaWeight::Scale() const { return factor_ / GridAround(format_, true).High(); }

at::Tensor DoReFaWeight::operator()(const at::Tensor& w, bool /*training*/) {
  const WeightParts parts(format_, channel_axis_, w);
  GridRule rule = GridAround(format_, true).Rule();
  rule.low -= 1;  // the ends, where |t| = 1, hand the gradient on as well; nothing reaches the levels beside them
  rule.high += 1;
  return WeightOnGrid(Squeezed(w, parts) * parts.Along(factor_), Scale(), parts.channel_axis(), rule);
}

std::pair<Format, LearnedGrid> DoReFaWeight::Grid(const at::Tensor& /*w*/) const {
  return {format_, ToLearnedGrid(format_, Scale(), GridAround(format_, true).zero_point)};
}

at::Tensor DoReFaWeight::Latent(const at::Tensor& w) const {
  const at::NoGradGuard no_grad;
  const WeightParts parts(format_, channel_axis_, w);
  return Squeezed(w, parts) * parts.Along(factor_);
}

void DoReFaInput::Finish() {
  const bool below_zero = first_.GoBelowZero();
  scale_ = QuantizerNumber(CenteredScale(first_.Values(), GridAround(format_, below_zero)), false);
  below_zero_ = QuantizerNumber(below_zero ? 1 : 0, false);
  KeepAboveZero(scale_);
}

at::Tensor DoReFaInput::operator()(const at::Tensor& x, bool /*training*/) {
  return InputOnGrid(x, scale_, GridAround(format_, ToDouble(below_zero_) != 0).Rule());
}

std::vector<QuantizerTensor> DoReFaInput::tensors() {
  return {{"scale", scale_, 0, false}, {"below_zero", below_zero_, 0, false}};
}

std::pair<Format, ActivationRange> DoReFaInput::Range() const {
  const LearnableGrid grid = GridAround(format_, ToDouble(below_zero_) != 0);
  return {grid.format, {ToDouble(scale_), grid.zero_point}};
}

}  // namespace bitplan::training_methods
