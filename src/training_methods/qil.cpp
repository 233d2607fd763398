#include "qil.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include "learnable_grid.h"
#include "learned_numbers.h"
#include "quantize/weight_grid.h"
#include "weight_parts.h"

namespace bitplan::training_methods {

namespace {

/// d above 0, c at or above d.
void KeepFromZeroOn(const at::Tensor& center, const at::Tensor& half_width) {
  const at::NoGradGuard no_grad;
  KeepAboveZero(half_width);
  center.copy_(at::maximum(center, half_width));
}

/// x − offset [1], without the temporaries of a broadcast gradient.
class Shifted : public torch::autograd::Function<Shifted> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* /*context*/, const at::Tensor& x,
                            const at::Tensor& offset) {
    return x.detach() - offset.item<float>();
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* /*context*/,
                                                 const torch::autograd::variable_list& gradients) {
    return {gradients[0], -gradients[0].sum().view({1})};
  }
};

}  // namespace

void QilWeight::Initialize(const at::Tensor& w) {
  Format symmetric = format_;
  symmetric.scheme = Scheme::Symmetric;
  const at::Tensor range =
      quantize::FindGrids(w, {symmetric}, channel_axis_).front().scale * GridAround(format_, true).High();
  center_ = QuantizerNumbers(range / 2, true);
  half_width_ = QuantizerNumbers(range / 2, true);
  factor_ = QuantizerNumbers(range, false);
}

void QilWeight::Finish() {
  CheckStarted(factor_.defined());
  KeepAboveZero(factor_);
  AfterStep();
}

at::Tensor QilWeight::Scale() const { return factor_ / GridAround(format_, true).High(); }

at::Tensor QilWeight::Transformed(const at::Tensor& w) const {
  const WeightParts parts(format_, channel_axis_, w);
  const at::Tensor slope = parts.Along(0.5 / half_width_);
  const at::Tensor magnitude = (slope * (w.abs() - parts.Along(center_)) + 0.5).clamp(0, 1);
  return magnitude * (w.detach().sign() * parts.Along(factor_));
}

at::Tensor QilWeight::operator()(const at::Tensor& w, bool /*training*/) {
  const WeightParts parts(format_, channel_axis_, w);
  GridRule rule = GridAround(format_, true).Rule();
  rule.low -= 1;  // what is outside the interval has no gradient already; nothing reaches the levels beside the ends
  rule.high += 1;
  return WeightOnGrid(Transformed(w), Scale(), parts.channel_axis(), rule);
}

void QilWeight::AfterStep() { KeepFromZeroOn(center_, half_width_); }

std::vector<QuantizerTensor> QilWeight::tensors() {
  return {{"center", center_}, {"half_width", half_width_}, {"factor", factor_, 0, false}};
}

std::pair<Format, LearnedGrid> QilWeight::Grid(const at::Tensor& /*w*/) const {
  return {format_, ToLearnedGrid(format_, Scale(), GridAround(format_, true).zero_point)};
}

at::Tensor QilWeight::Latent(const at::Tensor& w) const {
  const at::NoGradGuard no_grad;
  return Transformed(w);
}

bool QilInput::BelowZero() const { return ToDouble(below_zero_) != 0; }

void QilInput::Finish() {
  const bool below_zero = first_.GoBelowZero();
  const LearnableGrid grid = GridAround(format_, below_zero);
  const double half = CenteredScale(first_.Values(), grid) * grid.High() / 2;
  center_ = QuantizerNumber(half, !below_zero);
  half_width_ = QuantizerNumber(half, true);
  below_zero_ = QuantizerNumber(below_zero ? 1 : 0, false);
  AfterStep();
}

at::Tensor QilInput::operator()(const at::Tensor& x, bool /*training*/) {
  const LearnableGrid grid = GridAround(format_, BelowZero());
  const at::Tensor scale = 2 * half_width_ / grid.High();
  return InputOnGrid(BelowZero() ? x : Shifted::apply(x, center_ - half_width_), scale, grid.Rule());
}

void QilInput::AfterStep() {
  KeepFromZeroOn(center_, half_width_);
  const at::NoGradGuard no_grad;
  if (BelowZero()) center_.copy_(half_width_);
}

std::vector<QuantizerTensor> QilInput::tensors() {
  return {{"center", center_, 0, !BelowZero()}, {"half_width", half_width_}, {"below_zero", below_zero_, 0, false}};
}

std::pair<Format, ActivationRange> QilInput::Range() const {
  const LearnableGrid grid = GridAround(format_, BelowZero());
  const double offset = BelowZero() ? 0 : ToDouble(center_ - half_width_);
  return {grid.format, {ToDouble(2 * half_width_ / grid.High()), grid.zero_point, offset}};
}

}  // namespace bitplan::training_methods
