#pragma once

#include "of_format.h"

namespace bitplan::training_methods {

/// DoReFa-Net's weights: Zhou et al., "DoReFa-Net: Training Low Bitwidth Convolutional Neural Networks with Low
/// Bitwidth Gradients", 2016, section 2.3: the weights t = tanh(w) / max |tanh(w)|, in [−1, 1], are rounded to k bits;
/// the gradient passes the rounding unchanged and tanh and the maximum as it is.
///
/// Two things differ from equation 9. Its grid, 2 quantize_k(t / 2 + ½) − 1, has no level for 0.0; here t lies on the
/// symmetric grid whose largest level is 1, as integer hardware has it. And t is multiplied by c = Σ w t / Σ t² of the
/// first weights, which stays: training begins near the given network, not at one that a normalization behind every
/// layer would have to bring back.
class DoReFaWeight : public WeightOfFormat {
 public:
  /// `format` has a learnable scale.
  using WeightOfFormat::WeightOfFormat;

  void Initialize(const at::Tensor& w) override;
  void Finish() override;
  at::Tensor operator()(const at::Tensor& w, bool training) override;
  std::vector<QuantizerTensor> tensors() override { return {{"factor", factor_, 0, false}}; }
  std::pair<Format, LearnedGrid> Grid(const at::Tensor& w) const override;
  at::Tensor Latent(const at::Tensor& w) const override;

 private:
  at::Tensor Scale() const;

  at::Tensor factor_;  // c
};

/// DoReFa-Net's inputs (section 2.4): clamped to [0, 1], rounded to k bits. Here to [0, c], or [−c, c] where the first
/// values go below 0, with a fixed c: the range that the format's calibrator finds, since not every network's
/// activations are bounded by 1. The gradient is 1 inside, 0 outside.
class DoReFaInput : public InputOfFormat {
 public:
  using InputOfFormat::InputOfFormat;

  void Finish() override;
  at::Tensor operator()(const at::Tensor& x, bool training) override;
  std::vector<QuantizerTensor> tensors() override;
  std::pair<Format, ActivationRange> Range() const override;

 private:
  at::Tensor scale_, below_zero_;
};

}  // namespace bitplan::training_methods
