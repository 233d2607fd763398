#pragma once

#include "of_format.h"

namespace bitplan::training_methods {

/// Courbariaux et al., "BinaryConnect: Training Deep Neural Networks with binary weights during propagations", NeurIPS
/// 2015: +H or −H by the weight's sign (equation 1), or drawn in training: +H with the probability clamp((w / H + 1) /
/// 2, 0, 1), a hard sigmoid (equations 2 and 3). The gradient is handed to the weight unchanged, and the weight clipped
/// to [−H, H] after a step (section 2.4).
///
/// H is mean |w| of the first weights, and stays; in the paper it is 1, which a network that was trained with smaller
/// weights does not survive. Without training weights are ±H by their signs, drawn or not.
class BinaryConnectWeight : public WeightOfFormat {
 public:
  /// `format` is binary. `generator`: what is drawn from, where `stochastic`.
  BinaryConnectWeight(const Format& format, int channel_axis, bool stochastic, at::Generator generator)
      : WeightOfFormat(format, channel_axis), stochastic_(stochastic), generator_(std::move(generator)) {}

  void Initialize(const at::Tensor& w) override;
  void Finish() override;
  at::Tensor operator()(const at::Tensor& w, bool training) override;
  std::vector<QuantizerTensor> tensors() override { return {{"scale", scale_, 0, false}}; }
  std::pair<Format, LearnedGrid> Grid(const at::Tensor& w) const override;
  void ClipWeight(at::Tensor& w) const override;

 private:
  bool stochastic_;
  at::Generator generator_;
  at::Tensor scale_;  // H
};

}  // namespace bitplan::training_methods
