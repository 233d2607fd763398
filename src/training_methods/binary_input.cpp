#include "binary_input.h"

#include <ATen/ATen.h>

#include <cmath>
#include <numbers>

#include "learned_numbers.h"
#include "on_grid.h"
#include "quantize/straight_through.h"
#include "tuning.h"

namespace bitplan::training_methods {

void BinaryInput::Finish() {
  const bool below_zero = first_.GoBelowZero();
  below_zero_ = QuantizerNumber(below_zero ? 1 : 0, false);
  scale_ = QuantizerNumber(below_zero ? first_.MeanMagnitude() : first_.RangeOf(FormatOf(false)).scale, false);
  KeepAboveZero(scale_);
}

at::Tensor BinaryInput::operator()(const at::Tensor& x, bool training) {
  return ToDouble(below_zero_) != 0 ? Signs(x, training) : InputOnGrid(x, scale_, {.low = 0, .high = 1});
}

at::Tensor BinaryInput::Signs(const at::Tensor& x, bool training) {
  const at::Tensor values = x.detach();
  if (training && values.numel() > 0) {
    const double magnitude = values.abs().mean(at::kDouble).item<double>();
    if (std::isfinite(magnitude)) scale_.mul_(tuning::kAverageDecay).add_((1 - tuning::kAverageDecay) * magnitude);
  }
  const double deviation = std::sqrt(std::numbers::pi / 2) * ToDouble(scale_);
  const at::Tensor signs = at::where(values.ge(0), scale_, -scale_);
  return quantize::StraightThrough(signs, x, values.abs().le(deviation) * std::sqrt(2 / std::numbers::pi));
}

std::vector<QuantizerTensor> BinaryInput::tensors() {
  return {{"scale", scale_, 0, false}, {"below_zero", below_zero_, 0, false}};
}

Format BinaryInput::FormatOf(bool below_zero) const {
  Format format = format_;
  format.narrow_range = false;
  format.type = below_zero ? NumberType::Binary : NumberType::Integer;
  if (below_zero)
    format.calibrator = Calibrator::Mse;  // whatever it was: that of integers may not suit
  else
    format.scheme = Scheme::Unsigned;
  return format;
}

std::pair<Format, ActivationRange> BinaryInput::Range() const {
  return {FormatOf(ToDouble(below_zero_) != 0), {ToDouble(scale_), 0}};
}

}  // namespace bitplan::training_methods
