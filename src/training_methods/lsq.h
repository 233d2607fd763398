#pragma once

#include "of_format.h"

namespace bitplan::training_methods {

/// Learned step size: Esser et al., "Learned Step Size Quantization", ICLR 2020. With v = x / s on the grid −Q_N … Q_P,
/// equation 3:
///   ∂x̂/∂s = round(v) − v inside, −Q_N and Q_P outside;  ∂x̂/∂x = 1 inside, 0 outside;
/// s starts at 2 mean |x| / √Q_P, and its gradient is multiplied by 1 / √(n Q_P) (section 2.2), n the values that share
/// it.
class LsqWeight : public WeightOfFormat {
 public:
  /// `format` has a learnable scale.
  using WeightOfFormat::WeightOfFormat;

  void Initialize(const at::Tensor& w) override;
  void Finish() override;
  at::Tensor operator()(const at::Tensor& w, bool training) override;
  void AfterStep() override;
  std::vector<QuantizerTensor> tensors() override { return {{"scale", scale_}}; }
  std::pair<Format, LearnedGrid> Grid(const at::Tensor& w) const override;

 protected:
  virtual at::Tensor FirstScale(const at::Tensor& w) const;

 private:
  at::Tensor scale_;
};

/// The same of an input, n the values of one sample. Around 0 where the first values go below 0, from 0 on elsewhere.
class LsqInput : public InputOfFormat {
 public:
  using InputOfFormat::InputOfFormat;

  void Finish() override;
  at::Tensor operator()(const at::Tensor& x, bool training) override;
  void AfterStep() override;
  std::vector<QuantizerTensor> tensors() override { return {{"scale", scale_}, {"below_zero", below_zero_, 0, false}}; }
  std::pair<Format, ActivationRange> Range() const override;

 private:
  at::Tensor scale_, below_zero_;
};

/// 1 / √(n Q), n the values of one sample of a batch [N, …].
double InputGradientScale(const at::Tensor& x, double largest);

}  // namespace bitplan::training_methods
