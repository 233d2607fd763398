#pragma once

#include "of_format.h"

namespace bitplan::training_methods {

/// Li et al., "Ternary Weight Networks", 2016: 0 where |w| ≤ Δ, sign(w) s elsewhere, Δ = 0.7 mean |w| (equation 6), s
/// the mean |w| of those beyond it (equation 5). The gradient is handed to the weight unchanged, as in training with
/// the algorithm there.
class TwnWeight : public WeightOfFormat {
 public:
  /// `format` is ternary.
  using WeightOfFormat::WeightOfFormat;

  void Initialize(const at::Tensor& w) override;
  void Finish() override;
  at::Tensor operator()(const at::Tensor& w, bool training) override;
  std::vector<QuantizerTensor> tensors() override { return {}; }
  std::pair<Format, LearnedGrid> Grid(const at::Tensor& w) const override;

 private:
  /// [parts]
  struct Levels {
    at::Tensor scale, threshold;
  };
  Levels LevelsOf(const at::Tensor& w) const;

  bool started_ = false;
};

/// Zhu et al., "Trained Ternary Quantization", ICLR 2017: W_p where w > Δ, −W_n where w < −Δ, 0 between, Δ = 0.05 max
/// |w| (equations 6 and 9), with
///   ∂L/∂W_p = Σ g over w > Δ,  ∂L/∂W_n = −Σ g over w < −Δ,  ∂L/∂w = W_p g, g, W_n g above, between and below
///   (equations 7 and 8).
/// The minus is that of −W_n, which equation 7 leaves to its reader. W_p and W_n start at the mean magnitudes of the
/// weights that they stand for.
class TtqWeight : public WeightOfFormat {
 public:
  /// `format` is ternary.
  using WeightOfFormat::WeightOfFormat;

  void Initialize(const at::Tensor& w) override;
  void Finish() override;
  at::Tensor operator()(const at::Tensor& w, bool training) override;
  void AfterStep() override;
  std::vector<QuantizerTensor> tensors() override {
    return {{"positive_scale", positive_scale_}, {"negative_scale", negative_scale_}};
  }
  std::pair<Format, LearnedGrid> Grid(const at::Tensor& w) const override;

 private:
  at::Tensor Threshold(const at::Tensor& w) const;  // Δ, in a shape that broadcasts over w

  at::Tensor positive_scale_, negative_scale_;
};

}  // namespace bitplan::training_methods
