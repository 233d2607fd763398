#pragma once

#include "of_format.h"

namespace bitplan::training_methods {

/// Binary-Weight-Networks, and the weights of XNOR-Net: Rastegari et al., "XNOR-Net: ImageNet Classification Using
/// Binary Convolutional Neural Networks", ECCV 2016: α sign(w), α = mean |w|, with the gradient of
/// section 3.1,
///   ∂C/∂w = ∂C/∂ŵ (1 / n + α [|w| ≤ 1]), n the weights that share α.
/// With one bit DoReFa-Net has the same values (Zhou et al. 2016, equation 8), and hands the gradient on unchanged.
class BinaryWeight : public WeightOfFormat {
 public:
  enum class Gradient { OfScaleAndSign, Unchanged };

  /// `format` is binary.
  BinaryWeight(const Format& format, int channel_axis, Gradient gradient)
      : WeightOfFormat(format, channel_axis), gradient_(gradient) {}

  void Initialize(const at::Tensor& w) override;
  void Finish() override;
  at::Tensor operator()(const at::Tensor& w, bool training) override;
  std::vector<QuantizerTensor> tensors() override { return {}; }
  std::pair<Format, LearnedGrid> Grid(const at::Tensor& w) const override;

 private:
  at::Tensor Scale(const at::Tensor& w) const;  // α [parts]

  Gradient gradient_;
  bool started_ = false;
};

}  // namespace bitplan::training_methods
