#pragma once

#include "of_format.h"

namespace bitplan::training_methods {

/// XNOR-Net's inputs (Rastegari et al. 2016, section 3.2): β sign(x), with the gradient β / σ where |x| ≤ σ, 0
/// elsewhere: that of the sign in the paper, whose inputs a normalization brings to the standard deviation σ = 1. Here
/// β is a moving average of mean |x|, and σ = √(π/2) β, the deviation of a normal distribution with that mean
/// magnitude.
///
/// The paper's K, a factor for every position of the output, is no grid: one β of the whole tensor takes its place.
/// Inputs whose first values do not go below 0, as behind a ReLU, would all become β; they become 0 or s instead, the
/// unsigned grid of one bit, s as the format's calibrator finds it, with the gradient 1 in (0, s).
class BinaryInput : public InputOfFormat {
 public:
  /// `format` has one bit.
  using InputOfFormat::InputOfFormat;

  void Finish() override;
  at::Tensor operator()(const at::Tensor& x, bool training) override;
  std::vector<QuantizerTensor> tensors() override;
  std::pair<Format, ActivationRange> Range() const override;

 private:
  at::Tensor Signs(const at::Tensor& x, bool training);
  Format FormatOf(bool below_zero) const;

  at::Tensor scale_, below_zero_;
};

}  // namespace bitplan::training_methods
