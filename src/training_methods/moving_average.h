#pragma once

#include "bitplan/quantize.h"
#include "of_format.h"

namespace bitplan::training_methods {

/// From a weight's smallest to its largest value, anew at each step (Jacob et al., "Quantization and Training of Neural
/// Networks for Efficient Integer-Arithmetic-Only Inference", CVPR 2018, section 3.1). The gradient is 1.
class MinMaxWeight : public WeightOfFormat {
 public:
  using WeightOfFormat::WeightOfFormat;

  void Initialize(const at::Tensor& w) override;
  void Finish() override;
  at::Tensor operator()(const at::Tensor& w, bool training) override;
  std::vector<QuantizerTensor> tensors() override { return {}; }
  std::pair<Format, LearnedGrid> Grid(const at::Tensor& w) const override;

 private:
  QuantizedTensor GridOf(const at::Tensor& w) const;

  bool started_ = false;
};

/// From the exponential moving averages of the batches' smallest to that of their largest values (the same section).
/// The gradient is 1 inside the range, 0 outside.
class MovingAverageInput : public InputOfFormat {
 public:
  using InputOfFormat::InputOfFormat;

  void Finish() override;  ///< the averages begin at the means over the first batches
  at::Tensor operator()(const at::Tensor& x, bool training) override;
  std::vector<QuantizerTensor> tensors() override;
  std::pair<Format, ActivationRange> Range() const override;

 private:
  at::Tensor low_, high_, below_zero_;
};

}  // namespace bitplan::training_methods
