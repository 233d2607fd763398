#pragma once

#include "lsq.h"

namespace bitplan::training_methods {

/// LSQ with the start of LSQ+ (Bhalgat et al., "LSQ+: Improving low-bit quantization through learnable offsets and
/// better initialization", CVPR Workshops 2020, section 3.2): s = max(|μ − 3σ|, |μ + 3σ|) / 2^{b−1}, μ and σ of the
/// weights.
class LsqPlusWeight : public LsqWeight {
 public:
  using LsqWeight::LsqWeight;

 protected:
  at::Tensor FirstScale(const at::Tensor& w) const override;
};

/// Learned scale and offset (the same, section 3.1): x̂ = s round(clamp((x − β) / s, 0, 2^b − 1)) + β, with
///   ∂x̂/∂s = round(v) − v inside, 0 below and 2^b − 1 above;  ∂x̂/∂β = 0 inside, 1 outside;
/// both gradients multiplied by LSQ's factor. Both start where the squared error on the first batches is least, or as
/// the format's calibrator has it. Unlike in the paper, β acts as the whole number of steps nearest to it, with the
/// gradient handed straight through: 0.0 stays exact, and the deployed grid has an integer zero point. Formats without
/// a zero point keep β = 0.
class LsqPlusInput : public InputOfFormat {
 public:
  using InputOfFormat::InputOfFormat;

  void Finish() override;
  at::Tensor operator()(const at::Tensor& x, bool training) override;
  void AfterStep() override;
  std::vector<QuantizerTensor> tensors() override;
  std::pair<Format, ActivationRange> Range() const override;

 private:
  at::Tensor scale_, offset_, below_zero_;
};

}  // namespace bitplan::training_methods
