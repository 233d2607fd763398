#pragma once

#include "bitplan/quantize.h"
#include "first_values.h"
#include "training_methods/trained_quantizer.h"

namespace bitplan::training_methods {

/// From a weight's smallest to its largest value, anew at each step (Jacob et al., "Quantization and Training of Neural
/// Networks for Efficient Integer-Arithmetic-Only Inference", CVPR 2018, section 3.1). The gradient is 1.
class MinMaxWeight : public WeightQuantizer {
 public:
  MinMaxWeight(const Format& format, int channel_axis) : format_(format), channel_axis_(channel_axis) {}

  void Initialize(const at::Tensor& w) override;
  void Finish() override;
  at::Tensor operator()(const at::Tensor& w, bool training) override;
  std::vector<QuantizerTensor> tensors() override { return {}; }
  std::pair<Format, LearnedGrid> Grid(const at::Tensor& w) const override;

 private:
  QuantizedTensor GridOf(const at::Tensor& w) const;

  Format format_;
  int channel_axis_;
  bool started_ = false;
};

/// From the exponential moving averages of the batches' smallest to that of their largest values (the same section).
/// The gradient is 1 inside the range, 0 outside.
class MovingAverageInput : public InputQuantizer {
 public:
  static constexpr double kDecay = 0.99;  ///< a batch's share in the averages is 1 − this

  explicit MovingAverageInput(const Format& format) : format_(format) {}

  void Initialize(const at::Tensor& x) override { first_.Add(x); }
  void Finish() override;  ///< the averages begin at the means over the first batches
  at::Tensor operator()(const at::Tensor& x, bool training) override;
  std::vector<QuantizerTensor> tensors() override;
  std::pair<Format, ActivationRange> Range() const override;

 private:
  Format format_;
  FirstValues first_;
  at::Tensor low_, high_, below_zero_;
};

}  // namespace bitplan::training_methods
