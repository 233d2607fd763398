#include "train/methods/pact.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "bitplan/error.h"
#include "bitplan/quantize.h"
#include "train/methods/integer_grid.h"
#include "train/methods/learned_numbers.h"

namespace bitplan {

namespace {

/// Where the calibrator's grid ends.
double FirstAlpha(const FirstValues& values, const IntegerGrid& grid) {
  return CenteredScale(values.Values(), grid) * grid.High();
}

}  // namespace

void PactInput::Finish() {
  const bool below_zero = first_.GoBelowZero();
  alpha_ = QuantizerNumber(FirstAlpha(first_, GridAround(format_, below_zero)), true);
  below_zero_ = QuantizerNumber(below_zero ? 1 : 0, false);
  KeepAboveZero(alpha_);
}

at::Tensor PactInput::operator()(const at::Tensor& x, bool /*training*/) {
  const IntegerGrid grid = GridAround(format_, ToDouble(below_zero_) != 0);
  GridRule rule = grid.Rule();
  rule.residue = 0;
  return InputOnGrid(x, alpha_ / grid.High(), rule);
}

void PactInput::AfterStep() { KeepAboveZero(alpha_); }

std::vector<QuantizerTensor> PactInput::tensors() {
  return {{"alpha", alpha_, kDecay}, {"below_zero", below_zero_, 0, false}};
}

std::pair<Format, ActivationRange> PactInput::Range() const {
  const IntegerGrid grid = GridAround(format_, ToDouble(below_zero_) != 0);
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
  std::vector<std::int64_t> shape(static_cast<std::size_t>(x.dim()), 1);
  shape[1] = channels_;
  const at::Tensor bounds = alpha_.view(shape);
  const at::Tensor below = at::where(x.lt(bounds), x, bounds);
  const bool below_zero = ToDouble(below_zero_) != 0;
  const auto [format, range] = Range();
  if (!below_zero) return FakeQuantize(below.clamp_min(0), format, range);
  return FakeQuantize(at::where(below.gt(-bounds), below, -bounds), format, range);
}

void PactChannelInput::AfterStep() { KeepAboveZero(alpha_); }

std::vector<QuantizerTensor> PactChannelInput::tensors() {
  return {{"alpha", alpha_, PactInput::kDecay}, {"below_zero", below_zero_, 0, false}};
}

std::pair<Format, ActivationRange> PactChannelInput::Range() const {
  const IntegerGrid grid = GridAround(format_, ToDouble(below_zero_) != 0);
  return {grid.format, {ToDouble(alpha_.detach().max() / grid.High()), grid.zero_point}};
}

std::vector<double> PactChannelInput::ChannelBounds() const { return ToDoubles(alpha_); }

}  // namespace bitplan
