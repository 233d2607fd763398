#pragma once

#include "of_format.h"

namespace bitplan::training_methods {

/// Parameterized clipping: Choi et al., "PACT: Parameterized Clipping Activation for Quantized Neural Networks", 2018,
/// section 3: x clipped to [0, α], rounded to 2^b − 1 steps of it; ∂x̂/∂α = 1 for x ≥ α, 0 below (equation 3). α has a
/// weight decay of its own. It starts at the range that the format's calibrator finds. Inputs whose first values go
/// below 0 are clipped to [−α, α], up to a step more where the grid has one.
class PactInput : public InputOfFormat {
 public:
  using InputOfFormat::InputOfFormat;

  void Finish() override;
  at::Tensor operator()(const at::Tensor& x, bool training) override;
  void AfterStep() override;
  std::vector<QuantizerTensor> tensors() override;
  std::pair<Format, ActivationRange> Range() const override;

 private:
  at::Tensor alpha_, below_zero_;
};

/// The same with an α a channel (axis 1). One scale a tensor is what hardware has: channels are clipped at their own
/// α_c and rounded on the grid of the largest, so that a channel with a smaller one has fewer levels.
class PactChannelInput : public InputOfFormat {
 public:
  using InputOfFormat::InputOfFormat;

  /// Throws Error when x has no axis 1, or another number of channels than before.
  void Initialize(const at::Tensor& x) override;
  void Finish() override;  ///< all channels start at PactInput's α
  at::Tensor operator()(const at::Tensor& x, bool training) override;
  void AfterStep() override;
  std::vector<QuantizerTensor> tensors() override;
  std::pair<Format, ActivationRange> Range() const override;
  std::vector<double> ChannelBounds() const override;

 private:
  std::int64_t channels_ = 0;
  at::Tensor alpha_, below_zero_;
};

}  // namespace bitplan::training_methods
