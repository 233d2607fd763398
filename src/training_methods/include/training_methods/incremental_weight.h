#pragma once

#include "bitplan/quantize.h"
#include "training_methods/trained_quantizer.h"

namespace bitplan::training_methods {

/// Incremental network quantization: Zhou et al., "Incremental Network Quantization: Towards Lossless CNNs with
/// Low-Precision Weights", ICLR 2017. In phases, the largest weights that are still free are put on the grid and stay
/// there (the partition by magnitude of section 2.2), while the gradient goes on to the rest. The grid is
/// the one that the format's calibrator finds before training; the paper's, of powers of two, is that of
/// NumberType::PowerOfTwo. As a WeightQuantizer it keeps to its contract once all weights are on the grid.
class IncrementalWeight : public WeightQuantizer {
 public:
  /// Throws Error when the grid of such a format cannot be kept as FixedWeight does.
  IncrementalWeight(const Format& format, int channel_axis);

  void Initialize(const at::Tensor& w) override;
  void Finish() override;

  /// Begins a phase: `portion` of all weights, in (0, 1], what was put there before included, lie on the grid from now
  /// on. Those with the largest magnitude come first; of equals any.
  void QuantizeLargest(const at::Tensor& w, double portion);

  /// True where a weight lies on the grid, in the weight's shape.
  const at::Tensor& Quantized() const { return quantized_; }

  /// The values on the grid and, where they are free, those of w.
  at::Tensor operator()(const at::Tensor& w, bool training) override;
  std::vector<QuantizerTensor> tensors() override;
  std::pair<Format, LearnedGrid> Grid(const at::Tensor& w) const override;
  at::Tensor Latent(const at::Tensor& w) const override;

  /// Puts what lies on the grid back there, whatever the optimizer's momentum and weight decay made of it.
  void ClipWeight(at::Tensor& w) const override;

 private:
  Format format_;
  int channel_axis_;
  QuantizedTensor grid_;
  at::Tensor quantized_, values_;  // where, and what there
};

/// Which portion of the weights lies on the grid, epoch by epoch: the phases share the epochs alike. In the last one,
/// with no weight left to train, biases, normalizations and learned ranges go on.
struct IncrementalSchedule {
  std::vector<double> portions = {0.5, 0.75, 0.875, 1};  ///< ascending, in (0, 1], the last 1

  /// Throws Error; also when there are fewer epochs than phases.
  void Validate(std::int64_t epochs) const;

  /// In epoch `epoch` of `epochs`, counted from 0.
  double PortionAt(std::int64_t epoch, std::int64_t epochs) const;
};

}  // namespace bitplan::training_methods
