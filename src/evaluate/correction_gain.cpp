#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "bitplan/error.h"
#include "bitplan/evaluate.h"
#include "loss/compare_outputs.h"
#include "process/memory_limit.h"
#include "quantize/plan_check.h"
#include "quantize/quantized_network.h"

namespace bitplan {

namespace {

/// Divergences of quantized networks' outputs from the float network's, sample by sample: float64 [networks][N].
std::vector<at::Tensor> Divergences(const Network& network, const std::vector<QuantizedNetwork>& quantized,
                                    const Dataset& data, const PassLimits& limits, const ProgressCallback& progress) {
  const at::NoGradGuard no_gradient;
  const auto get = [&](std::int64_t begin, std::int64_t end) {
    return data.Get(begin, end, at::Device(network.device()));
  };
  const Criterion criterion = loss::ToCompareOutputs(network, data);
  const auto pass = [&](std::int64_t begin, std::int64_t end) {
    const Batch batch = get(begin, end);
    const at::Tensor wanted = network.Forward(batch.inputs);
    std::vector<at::Tensor> losses;
    for (const QuantizedNetwork& each : quantized)
      losses.push_back(SampleLosses(criterion, each.Forward(batch.inputs), wanted, batch.labels).cpu());
    return losses;
  };
  const std::int64_t samples = process::SamplesAPass(std::min(limits.batch_size, data.size()), limits.memory_bytes, 0,
                                                     [&](std::int64_t count) { pass(0, count); });
  std::vector<std::vector<at::Tensor>> parts(quantized.size());
  for (std::int64_t begin = 0; begin < data.size(); begin += samples) {
    const std::int64_t end = std::min(begin + samples, data.size());
    const std::vector<at::Tensor> losses = pass(begin, end);
    for (std::size_t i = 0; i < losses.size(); ++i) parts[i].push_back(losses[i]);
    Report(progress, "evaluating", end, data.size());
  }
  std::vector<at::Tensor> joined;
  for (const std::vector<at::Tensor>& each : parts) joined.push_back(at::cat(each));
  return joined;
}

/// Of all samples of both halves, each measured with what was fitted on the other: float64 [networks][N].
class OfBothHalves {
 public:
  explicit OfBothHalves(std::size_t networks) : parts_(networks) {}

  void Add(const std::vector<at::Tensor>& divergences) {
    for (std::size_t i = 0; i < parts_.size(); ++i) parts_[i].push_back(divergences[i]);
  }
  at::Tensor operator[](std::size_t network) const {
    const at::Tensor all = at::cat(parts_[network]);
    if (!all.isfinite().all().item<bool>()) throw Error("the output of the quantized network is not finite");
    return all;
  }

 private:
  std::vector<std::vector<at::Tensor>> parts_;
};

/// At least 0, which rounding may leave it below.
double Mean(const at::Tensor& values) { return std::max(values.mean().item<double>(), 0.0); }

}  // namespace

std::optional<CorrectionGain> CrossValidateCorrection(const QuantizedNetwork& quantized, const Dataset& calibration,
                                                      const QuantizeOptions& options) {
  const OutputCorrection kind = quantized.plan().corrections.output;
  const std::int64_t samples = std::min(options.correction_samples, calibration.size()), half = samples / 2;
  constexpr std::int64_t kLeast = 4;  // two to fit on and two to measure on
  if (!quantized.plan().corrections.FitsOutputs() || !quantize::QuantizesAnything(quantized.plan()) || samples < kLeast)
    return std::nullopt;
  // Beside the network in question two more are held, with weights of their own. It is not worth failing for.
  const std::int64_t own = quantize::OwnBytes(quantized);
  const PassLimits limits = PassLimits(options.batch_size, options.memory_bytes).Beside(own);
  if (2 * own > process::PlannedBytes(limits.memory_bytes)) return std::nullopt;
  const auto corrected = [&](OutputCorrection correction, const Dataset& fitted_on) {
    return quantized.Corrected(correction, fitted_on, limits.Beside(own).memory_bytes);
  };
  const auto measure = [&](const std::vector<QuantizedNetwork>& networks, const Dataset& data) {
    std::int64_t held = 0;
    for (const QuantizedNetwork& each : networks) held += quantize::OwnBytes(each);
    return Divergences(quantized.network(), networks, data, limits.Beside(held), options.progress);
  };
  const std::array halves = {calibration.First(half), calibration.First(samples).From(half)};
  const QuantizedNetwork uncorrected = corrected(OutputCorrection::None, halves[0]);
  OfBothHalves measured(2);
  for (const std::size_t fold : {0, 1})
    measured.Add(measure({uncorrected, corrected(kind, halves[fold])}, halves[1 - fold]));
  const at::Tensor gains = measured[0] - measured[1];
  if (gains.eq(0).all().item<bool>()) return std::nullopt;  // no layer's output can be corrected
  CorrectionGain gain{half, Mean(measured[0]), Mean(measured[1])};
  const double standard_error = gains.std().item<double>() / std::sqrt(static_cast<double>(samples));
  if (gain.Gain() <= 0 && -gain.Gain() <= standard_error) return std::nullopt;  // a loss that may be none
  if (gain.Gain() > 0 || half / 2 < 2) return gain;
  OfBothHalves of_fewer(1);
  for (const std::size_t fold : {0, 1})
    of_fewer.Add(measure({corrected(kind, halves[fold].First(half / 2))}, halves[1 - fold]));
  gain.corrected_by_half = Mean(of_fewer[0]);
  return gain;
}

}  // namespace bitplan
