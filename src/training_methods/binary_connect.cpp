#include "binary_connect.h"

#include <ATen/ATen.h>

#include "learned_numbers.h"
#include "quantize/straight_through.h"
#include "quantize/weight_grid.h"
#include "weight_parts.h"

namespace bitplan::training_methods {

void BinaryConnectWeight::Initialize(const at::Tensor& w) {
  quantize::CheckWeight(w, channel_axis_);
  const WeightParts parts(format_, channel_axis_, w);
  scale_ = QuantizerNumbers(parts.Sum(w.detach().abs()) / static_cast<double>(parts.size()), false);
}

void BinaryConnectWeight::Finish() {
  CheckStarted(scale_.defined());
  KeepAboveZero(scale_);
}

at::Tensor BinaryConnectWeight::operator()(const at::Tensor& w, bool training) {
  const at::Tensor values = w.detach();
  const at::Tensor scale = WeightParts(format_, channel_axis_, values).Along(scale_);
  const bool draws = stochastic_ && training;
  const at::Tensor plus =
      draws ? at::empty_like(values).uniform_(0, 1, generator_).lt((values / scale + 1).div_(2).clamp_(0, 1))
            : values.ge(0);
  return quantize::StraightThrough(at::where(plus, scale, -scale), w);
}

std::pair<Format, LearnedGrid> BinaryConnectWeight::Grid(const at::Tensor& /*w*/) const {
  return {format_, ToLearnedGrid(format_, scale_, 0)};
}

void BinaryConnectWeight::ClipWeight(at::Tensor& w) const {
  const at::NoGradGuard no_grad;
  const at::Tensor bound = WeightParts(format_, channel_axis_, w).Along(scale_);
  w.copy_(at::maximum(at::minimum(w, bound), -bound));
}

}  // namespace bitplan::training_methods
