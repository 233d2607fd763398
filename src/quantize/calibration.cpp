#include "quantize/calibration_impl.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>

#include "bitplan/error.h"
#include "network/image_layout.h"
#include "process/memory_limit.h"
#include "quantize/corrections/channel_correction.h"
#include "quantize/corrections/fit_corrections.h"
#include "quantize/corrections/sample_passes.h"
#include "quantize/plan_check.h"
#include "quantize/quantized_state.h"

namespace bitplan {

namespace {

std::int64_t BytesOf(const std::vector<at::Tensor>& tensors) {
  std::int64_t bytes = 0;
  for (const at::Tensor& tensor : tensors) bytes += static_cast<std::int64_t>(tensor.nbytes());
  return bytes;
}

}  // namespace

void QuantizeOptions::Validate() const {
  if (batch_size < 1) throw Error(fmt::format("batch size: {} given, at least 1 needed", batch_size));
  if (correction_samples < 2)
    throw Error(fmt::format("correction samples: {} given, at least 2 needed", correction_samples));
  if (memory_bytes <= 0) throw Error(fmt::format("memory_bytes is {}, must be above 0", memory_bytes));
}

bool NeedsCalibration(const Plan& plan, const QuantizeOptions& options) {
  if (CalibratesInputs(plan) && !options.statistics) return true;
  const Corrections& corrections = plan.corrections;
  const bool rescales_by_data =
      corrections.rescaling == Rescaling::SmoothQuant || corrections.rescaling == Rescaling::ActivationAware;
  return QuantizesAnything(plan) && (corrections.FitsOutputs() || rescales_by_data ||
                                     corrections.rounding != Rounding::Nearest || corrections.outlier_threshold > 0);
}

void Calibration::Impl::TakeInputs(const Network& network, const Dataset& data, std::int64_t samples) {
  const at::Device device(network.device());
  inputs = ImageLayout(network, data.Get(0, 1, device).inputs)(data.Get(0, samples, device).inputs);
}

const std::map<int, ChannelMoments>& Calibration::Impl::Moments(const Network& network) const {
  std::call_once(found_, [&] { moments_ = FloatMoments(network, inputs, SamplesAPass(network)); });
  return moments_;
}

std::int64_t Calibration::Impl::SamplesAPass(const Network& network) const {
  return bitplan::SamplesAPass(Samples(), memory_bytes, BytesOf(inputs), [&](std::int64_t count) {
    FloatMoments(network, FirstSamples(inputs, count), count);
  });
}

std::int64_t Calibration::Impl::SamplesAFit(const Network& network, const Plan& plan, const std::map<int, ChannelMoments>& wanted,
                         const QuantizedState& state) const {
  Corrections nearest = plan.corrections;
  nearest.rounding = Rounding::Nearest;
  const auto fit = [&](std::int64_t count) {
    QuantizedState trial = state;
    FitCorrections(network, nearest, wanted, {FirstSamples(inputs, count), count}, memory_bytes, {}, trial);
  };
  const std::int64_t held = BytesOf(inputs) + OwnBytes(network, state);
  const std::int64_t most = bitplan::SamplesAPass(Samples(), memory_bytes, held, fit, memory_bytes);
  // Rounding sees the samples of one pass alone; otherwise more of them bring nothing unless they are all.
  if (most == Samples() || plan.corrections.rounding != Rounding::Nearest) return most;
  return bitplan::SamplesAPass(most, memory_bytes, held, fit);
}

void Calibration::Impl::FitOutputs(const Network& network, const Plan& plan, QuantizedState& state) const {
  static const std::map<int, ChannelMoments> kNone;
  const bool by_moments = plan.corrections.FitsOutputs() && QuantizesAnything(plan);
  const std::map<int, ChannelMoments>& wanted = by_moments ? Moments(network) : kNone;
  const std::int64_t a_pass = inputs.empty() ? 1 : SamplesAFit(network, plan, wanted, state);
  FitCorrections(network, plan.corrections, wanted, {inputs, a_pass}, memory_bytes, progress, state);
}

Calibration Calibration::Collect(const Network& network, const Dataset& data, bool activations,
                                 const QuantizeOptions& options) {
  options.Validate();
  const auto impl = std::make_shared<Impl>();
  if (activations && options.statistics) impl->activations = options.statistics;
  if (activations && !options.statistics)
    impl->activations = ActivationStatistics::Collect(network, data, {options.batch_size, options.memory_bytes},
                                                      options.progress);
  const std::int64_t samples = std::min(options.correction_samples, data.size());
  impl->TakeInputs(network, data, samples);
  impl->memory_bytes = options.memory_bytes;
  impl->progress = options.progress;
  return Calibration(impl);
}

}  // namespace bitplan
