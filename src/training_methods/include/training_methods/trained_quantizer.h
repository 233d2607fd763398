#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bitplan/format.h"
#include "bitplan/plan.h"
#include "bitplan/train_method.h"

namespace bitplan::training_methods {

/// A tensor of a quantizer.
struct QuantizerTensor {
  std::string name;         ///< scale, alpha, low, …: its own within the quantizer
  at::Tensor value;         ///< where it is learned, float32 and with a gradient
  double weight_decay = 0;  ///< the method's own, in place of the weights'
  bool learned = true;      ///< by the optimizer; otherwise found when training begins, or tracked
};

/// A weight's or an input's quantizer in training: one class a method. First Initialize, once a batch, then Finish,
/// then any number of steps.
class TrainedQuantizer {
 public:
  virtual ~TrainedQuantizer() = default;

  /// Looks at the first values: of weights the float weight, once; of inputs a batch of calibration samples [N, …], any
  /// number of times. Throws Error when a value is not finite.
  virtual void Initialize(const at::Tensor& x) = 0;

  /// Sets where training begins, from what was looked at. Throws Error when that was nothing.
  virtual void Finish() = 0;

  /// x̂, in the shape of x, of inputs in its memory layout too, differentiable in x and in what is learned. `training`:
  /// moving averages move, stochastic methods draw; without it the same x gives the same x̂.
  virtual at::Tensor operator()(const at::Tensor& x, bool training) = 0;

  /// After every step of the optimizer: what is learned goes back to where it may be (scales stay above 0).
  virtual void AfterStep() {}

  /// All that Finish sets and training changes, in a fixed order, for the optimizer and for checkpoints: a quantizer
  /// that was initialized on the same values goes on as another one stopped once the other's values are copied into
  /// these, in place.
  virtual std::vector<QuantizerTensor> tensors() = 0;
};

class WeightQuantizer : public TrainedQuantizer {
 public:
  /// The format and grid on which Latent(w) becomes, to the last bit, what operator()(w, false) gives.
  virtual std::pair<Format, LearnedGrid> Grid(const at::Tensor& w) const = 0;

  /// What a file of float weights holds in the place of w: w itself, or what the method makes of it before it rounds.
  virtual at::Tensor Latent(const at::Tensor& w) const { return w.detach(); }

  /// After every step of the optimizer, in place: binary methods clip the weights.
  virtual void ClipWeight(at::Tensor& /*w*/) const {}
};

class InputQuantizer : public TrainedQuantizer {
 public:
  /// The format and range by which FakeQuantize gives, to the last bit, what operator()(x, false) gives of x clipped to
  /// ChannelBounds.
  virtual std::pair<Format, ActivationRange> Range() const = 0;

  /// Channels (axis 1) of x are clipped to [−b, b], b these, before they are rounded; empty where they are not.
  virtual std::vector<double> ChannelBounds() const { return {}; }
};

/// `channel_axis`: of the weight, as Layer has it. `generator`: of stochastic methods; others draw nothing. Throw Error
/// when the method cannot train this format, with a format or a method that would be right.
std::unique_ptr<WeightQuantizer> MakeWeightQuantizer(TrainingMethod method, const Format& format, int channel_axis,
                                                     at::Generator generator);
std::unique_ptr<InputQuantizer> MakeInputQuantizer(TrainingMethod method, const Format& format);

}  // namespace bitplan::training_methods
