#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>

#include "bitplan/error.h"
#include "calibration_impl.h"
#include "corrections/fit_corrections.h"
#include "corrections/sample_passes.h"
#include "network/image_layout.h"
#include "process/memory_limit.h"
#include "quantize/corrections/channel_correction.h"
#include "quantize/plan_check.h"
#include "quantized_state.h"
#include "tuning.h"

namespace bitplan {

namespace {

std::int64_t BytesOf(const std::vector<at::Tensor>& tensors) {
  std::int64_t bytes = 0;
  for (const at::Tensor& tensor : tensors) bytes += static_cast<std::int64_t>(tensor.nbytes());
  return bytes;
}

/// What rounding keeps of all layers, the changes of their weights, and makes of the largest beside its second moments.
std::int64_t RoundedBytes(const Network& network) {
  constexpr std::int64_t kChange = 4, kInTheMaking = 16;
  std::int64_t all = 0, largest = 0;
  for (const Layer& layer : network.layers()) {
    all += network.Weight(layer).numel();
    largest = std::max(largest, network.Weight(layer).numel());
  }
  return kChange * all + kInTheMaking * largest;
}

}  // namespace

void QuantizeOptions::Validate() const {
  if (batch_size < 1) throw Error(fmt::format("batch size: {} given, at least 1 needed", batch_size));
  if (correction_samples < 2)
    throw Error(fmt::format("correction samples: {} given, at least 2 needed", correction_samples));
  if (memory_bytes <= 0) throw Error(fmt::format("memory_bytes is {}, must be above 0", memory_bytes));
}

bool NeedsCalibration(const Plan& plan, const QuantizeOptions& options) {
  if (quantize::CalibratesInputs(plan) && !options.statistics) return true;
  const Corrections& corrections = plan.corrections;
  const bool rescales_by_data =
      corrections.rescaling == Rescaling::SmoothQuant || corrections.rescaling == Rescaling::ActivationAware;
  return quantize::QuantizesAnything(plan) &&
         (corrections.FitsOutputs() || rescales_by_data || corrections.rounding != Rounding::Nearest ||
          corrections.outlier_threshold > 0);
}

void Calibration::Impl::TakeInputs(const Network& network, const Dataset& data, std::int64_t samples) {
  const at::Device device(network.device());
  const std::vector<at::Tensor> one = data.Get(0, 1, device).inputs;
  process::CheckOneSampleFits(samples * BytesOf(one), memory_bytes,
                              fmt::format("the batch of {} calibration samples", samples));
  const network::ImageLayout layout(network, one);
  inputs.clear();
  for (std::int64_t begin = 0; begin < samples; begin += quantize::tuning::kSamplesCopiedAtOnce) {
    const std::int64_t count = std::min(quantize::tuning::kSamplesCopiedAtOnce, samples - begin);
    const std::vector<at::Tensor> some = layout(data.Get(begin, begin + count, device).inputs);
    for (std::size_t i = 0; i < some.size(); ++i) {
      if (begin == 0) {
        std::vector<std::int64_t> shape = some[i].sizes().vec();
        shape[0] = samples;
        inputs.push_back(at::empty(shape, some[i].options(), some[i].suggest_memory_format()));
      }
      inputs[i].narrow(0, begin, count).copy_(some[i]);
    }
  }
}

const std::map<int, quantize::ChannelMoments>& Calibration::Impl::Moments(const Network& network) const {
  std::call_once(found_, [&] { moments_ = quantize::FloatMoments(network, inputs, SamplesAPass(network)); });
  return moments_;
}

std::int64_t Calibration::Impl::SamplesAPass(const Network& network) const {
  return process::SamplesAPass(Samples(), memory_bytes, BytesOf(inputs), [&](std::int64_t count) {
    quantize::FloatMoments(network, quantize::FirstSamples(inputs, count), count);
  });
}

Calibration::Impl::Fit Calibration::Impl::FitWithin(const Network& network, const Plan& plan,
                                                    const std::map<int, quantize::ChannelMoments>& wanted,
                                                    const QuantizedState& state) const {
  if (inputs.empty()) return {1, memory_bytes};
  Corrections nearest = plan.corrections;
  nearest.rounding = Rounding::Nearest;
  const auto fit = [&](std::int64_t count) {
    QuantizedState trial = state;
    quantize::FitCorrections(network, nearest, wanted, {quantize::FirstSamples(inputs, count), count}, memory_bytes, {},
                             trial);
  };
  const bool rounds = plan.corrections.rounding != Rounding::Nearest;
  // Rounding sees the samples of one pass alone, and the second moments of what it reads are as large as they are.
  const std::int64_t held = BytesOf(inputs) + quantize::OwnBytes(network, state) + (rounds ? RoundedBytes(network) : 0);
  const std::int64_t room = process::PlannedBytes(memory_bytes) - held;
  const std::int64_t most = process::SamplesAPass(Samples(), memory_bytes, held, fit, rounds ? room / 2 : memory_bytes);
  // More of them bring nothing unless they are all, or weights are rounded on them.
  const std::int64_t a_pass = rounds || most == Samples() ? most : process::SamplesAPass(most, memory_bytes, held, fit);
  if (!rounds && a_pass == Samples()) return {a_pass, 1, 0};
  const std::int64_t left = std::max<std::int64_t>(1, room - process::PeakBytes([&] { fit(a_pass); }));
  const std::int64_t kept = a_pass == Samples() ? 0 : left / (rounds ? 4 : 1);
  return {a_pass, std::max<std::int64_t>(1, left - kept), kept};
}

void Calibration::Impl::FitOutputs(const Network& network, const Plan& plan, QuantizedState& state) const {
  static const std::map<int, quantize::ChannelMoments> kNone;
  const bool by_moments = plan.corrections.FitsOutputs() && quantize::QuantizesAnything(plan);
  const std::map<int, quantize::ChannelMoments>& wanted = by_moments ? Moments(network) : kNone;
  const Fit fit = FitWithin(network, plan, wanted, state);
  quantize::FitCorrections(network, plan.corrections, wanted, {inputs, fit.a_pass, fit.kept}, fit.for_rounding,
                           progress, state);
}

Calibration Calibration::Collect(const Network& network, const Dataset& data, bool activations,
                                 const QuantizeOptions& options) {
  options.Validate();
  const auto impl = std::make_shared<Impl>();
  if (activations && options.statistics) impl->activations = options.statistics;
  if (activations && !options.statistics)
    impl->activations =
        ActivationStatistics::Collect(network, data, {options.batch_size, options.memory_bytes}, options.progress);
  const std::int64_t samples = std::min(options.correction_samples, data.size());
  impl->memory_bytes = options.memory_bytes;
  impl->TakeInputs(network, data, samples);
  impl->progress = options.progress;
  return Calibration(impl);
}

}  // namespace bitplan
