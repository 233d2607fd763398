#pragma once

#include "of_format.h"

namespace bitplan::training_methods {

/// Learned intervals: Jung et al., "Learning to Quantize Deep Networks by Optimizing Quantization Intervals with Task
/// Loss", CVPR 2019. With a center c and a half width d, and γ = 1, a weight becomes
///   t = 0 where |w| < c − d,  sign(w) where |w| > c + d,  sign(w) (½ (|w| − c) / d + ½) elsewhere,
/// and is rounded to the steps of [−1, 1]; the gradient passes the rounding unchanged.
///
/// t is multiplied by κ, the start of c + d, which stays: the paper leaves weights between −1 and 1 to normalizations.
/// c and d start at half of the range that the format's calibrator finds, so that training begins on that grid. c is
/// kept at or above d, without which 0.0 would not be exact.
class QilWeight : public WeightOfFormat {
 public:
  /// `format` has a learnable scale.
  using WeightOfFormat::WeightOfFormat;

  void Initialize(const at::Tensor& w) override;
  void Finish() override;
  at::Tensor operator()(const at::Tensor& w, bool training) override;
  void AfterStep() override;
  std::vector<QuantizerTensor> tensors() override;
  std::pair<Format, LearnedGrid> Grid(const at::Tensor& w) const override;
  at::Tensor Latent(const at::Tensor& w) const override;

 private:
  at::Tensor Transformed(const at::Tensor& w) const;
  at::Tensor Scale() const;

  at::Tensor center_, half_width_, factor_;
};

/// The same of inputs, on the steps of [0, 1]:
///   x̂ = s round(clamp((x − (c − d)) / s, 0, n)), n = 2^b − 1, s = 2d / n.
/// The paper's, times 2d, the slope 1 in the interval: the range has one scale, before and after rounding. Inputs whose
/// first values go below 0 keep c = d, the symmetric grid of [−2d, 2d].
class QilInput : public InputOfFormat {
 public:
  using InputOfFormat::InputOfFormat;

  void Finish() override;
  at::Tensor operator()(const at::Tensor& x, bool training) override;
  void AfterStep() override;
  std::vector<QuantizerTensor> tensors() override;
  std::pair<Format, ActivationRange> Range() const override;

 private:
  bool BelowZero() const;

  at::Tensor center_, half_width_, below_zero_;
};

}  // namespace bitplan::training_methods
