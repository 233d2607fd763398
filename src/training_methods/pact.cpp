#include "pact.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <vector>

#include "bitplan/error.h"
#include "bitplan/quantize.h"
#include "learnable_grid.h"
#include "learned_numbers.h"
#include "tuning.h"

namespace bitplan::training_methods {

namespace {

/// Where the calibrator's grid ends.
double FirstAlpha(const FirstValues& values, const LearnableGrid& grid) {
  return CenteredScale(values.Values(), grid) * grid.High();
}

/// Clipped to [0, α], or [−α, α], of each channel, with PACT's gradients.
class ClippedChannels : public torch::autograd::Function<ClippedChannels> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const at::Tensor& alpha,
                            bool below_zero) {
    context->save_for_backward({x, alpha});
    context->saved_data["below_zero"] = below_zero;
    const at::Tensor bounds = Along(alpha.detach(), x);
    const at::Tensor clipped = at::minimum(x.detach(), bounds);
    return below_zero ? at::maximum(clipped, -bounds) : clipped.clamp_min_(0);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const torch::autograd::variable_list saved = context->get_saved_variables();
    const at::Tensor x = saved[0].detach(), bounds = Along(saved[1].detach(), x);
    const bool below_zero = context->saved_data["below_zero"].toBool();
    const at::Tensor above = x.ge(bounds), below = below_zero ? x.le(-bounds) : x.lt(0);
    const auto of_channels = [&](const at::Tensor& where) {
      return (gradients[0] * where).sum_to_size(bounds.sizes()).view_as(saved[1]);
    };
    at::Tensor of_alpha = of_channels(above);
    if (below_zero) of_alpha -= of_channels(below);
    return {gradients[0] * above.logical_or(below).logical_not_(), of_alpha, at::Tensor()};
  }

 private:
  static at::Tensor Along(const at::Tensor& alpha, const at::Tensor& x) {
    std::vector<std::int64_t> shape(static_cast<std::size_t>(x.dim()), 1);
    shape[1] = alpha.numel();
    return alpha.view(shape);
  }
};

}  // namespace

void PactInput::Finish() {
  const bool below_zero = first_.GoBelowZero();
  alpha_ = QuantizerNumber(FirstAlpha(first_, GridAround(format_, below_zero)), true);
  below_zero_ = QuantizerNumber(below_zero ? 1 : 0, false);
  KeepAboveZero(alpha_);
}

at::Tensor PactInput::operator()(const at::Tensor& x, bool /*training*/) {
  const LearnableGrid grid = GridAround(format_, ToDouble(below_zero_) != 0);
  GridRule rule = grid.Rule();
  rule.residue = 0;
  return InputOnGrid(x, alpha_ / grid.High(), rule);
}

void PactInput::AfterStep() { KeepAboveZero(alpha_); }

std::vector<QuantizerTensor> PactInput::tensors() {
  return {{"alpha", alpha_, tuning::kPactWeightDecay}, {"below_zero", below_zero_, 0, false}};
}

std::pair<Format, ActivationRange> PactInput::Range() const {
  const LearnableGrid grid = GridAround(format_, ToDouble(below_zero_) != 0);
  return {grid.format, {ToDouble(alpha_.detach() / grid.High()), grid.zero_point}};
}

void PactChannelInput::Initialize(const at::Tensor& x) {
  if (x.dim() < 2 || (channels_ > 0 && x.size(1) != channels_))
    throw Error(fmt::format(
        "method pact-channel: an input of {} axes{}; expected the same channels along axis 1 in every batch", x.dim(),
        x.dim() < 2 ? "" : fmt::format(" and {} channels", x.size(1))));
  channels_ = x.size(1);
  first_.Add(x);
}

void PactChannelInput::Finish() {
  const bool below_zero = first_.GoBelowZero();
  alpha_ = QuantizerNumbers(at::full({channels_}, FirstAlpha(first_, GridAround(format_, below_zero))), true);
  below_zero_ = QuantizerNumber(below_zero ? 1 : 0, false);
  KeepAboveZero(alpha_);
}

at::Tensor PactChannelInput::operator()(const at::Tensor& x, bool /*training*/) {
  const auto [format, range] = Range();
  return FakeQuantize(ClippedChannels::apply(x, alpha_, ToDouble(below_zero_) != 0), format, range);
}

void PactChannelInput::AfterStep() { KeepAboveZero(alpha_); }

std::vector<QuantizerTensor> PactChannelInput::tensors() {
  return {{"alpha", alpha_, tuning::kPactWeightDecay}, {"below_zero", below_zero_, 0, false}};
}

std::pair<Format, ActivationRange> PactChannelInput::Range() const {
  const LearnableGrid grid = GridAround(format_, ToDouble(below_zero_) != 0);
  return {grid.format, {ToDouble(alpha_.detach().max() / grid.High()), grid.zero_point}};
}

std::vector<double> PactChannelInput::ChannelBounds() const { return ToDoubles(alpha_); }

}  // namespace bitplan::training_methods
