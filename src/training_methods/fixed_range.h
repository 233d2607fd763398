#pragma once

#include "bitplan/quantize.h"
#include "of_format.h"

namespace bitplan::training_methods {

/// On the grid that the format's calibrator finds for the float weight, and keeps. The gradient is 1 inside the range,
/// 0 outside.
class FixedWeight : public WeightOfFormat {
 public:
  using WeightOfFormat::WeightOfFormat;

  void Initialize(const at::Tensor& w) override;
  void Finish() override;
  at::Tensor operator()(const at::Tensor& w, bool training) override;
  std::vector<QuantizerTensor> tensors() override;
  std::pair<Format, LearnedGrid> Grid(const at::Tensor& w) const override;

 private:
  QuantizedTensor grid_;
  bool started_ = false;
};

/// On the range that the format's calibrator finds in the first batches, and keeps; a dynamic one finds a range a
/// batch. The gradient is 1 inside the range, 0 outside.
class FixedInput : public InputOfFormat {
 public:
  using InputOfFormat::InputOfFormat;

  void Finish() override;
  at::Tensor operator()(const at::Tensor& x, bool training) override;
  std::vector<QuantizerTensor> tensors() override;
  std::pair<Format, ActivationRange> Range() const override;

 private:
  at::Tensor scale_, zero_point_, below_zero_;
};

}  // namespace bitplan::training_methods
