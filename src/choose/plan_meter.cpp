#include "plan_meter.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "bitplan/error.h"
#include "bitplan/plan.h"
#include "process/memory_limit.h"
#include "quantize/quantized_network.h"

namespace bitplan::choose {

namespace {

bool QuantizesActivations(const Sensitivity& sensitivity) {
  for (const LayerSensitivity& layer : sensitivity.layers)
    for (const Perturbation& choice : layer.activation_choices)
      if (choice.bits < 32) return true;
  return false;
}

/// All outputs of whatever has a Forward.
template <typename Runner>
at::Tensor RunAll(const Runner& runner, const network::ImageLayout& layout, const Dataset& samples,
                  const PassLimits& limits, const std::string& device) {
  const at::NoGradGuard no_grad;
  const auto run = [&](std::int64_t begin, std::int64_t end) {
    return runner.Forward(layout(samples.Get(begin, end, at::Device(device)).inputs));
  };
  const std::int64_t at_once = process::SamplesAPass(std::min(limits.batch_size, samples.size()), limits.memory_bytes,
                                                     0, [&](std::int64_t count) { run(0, count); });
  std::vector<at::Tensor> outputs;
  for (std::int64_t begin = 0; begin < samples.size(); begin += at_once)
    outputs.push_back(run(begin, std::min(begin + at_once, samples.size())));
  return at::cat(outputs);
}

}  // namespace

PlanMeter::PlanMeter(const Network& network, const Sensitivity& sensitivity, const Problem& problem,
                     const Dataset& calibration, const Dataset& samples, const QuantizeOptions& options, Loss loss)
    : network_(network),
      sensitivity_(sensitivity),
      problem_(problem),
      samples_(samples),
      limits_(options.batch_size, options.memory_bytes),
      divergence_(ResolveLoss(network, samples, loss).With(Loss::Divergence)),
      layout_(network, samples.Get(0, 1, at::Device(network.device())).inputs),
      calibration_(Calibration::Collect(network, calibration, QuantizesActivations(sensitivity), options)),
      float_outputs_(RunAll(network, layout_, samples, limits_, network.device())) {}

at::Tensor PlanMeter::Outputs(const std::vector<std::size_t>& choices) const {
  Solution solution;
  solution.choices = choices;
  const Plan plan = MakePlan(sensitivity_, problem_, solution, Measure::Divergence);
  const auto quantized = QuantizedNetwork::Create(network_, plan, calibration_);
  return RunAll(quantized, layout_, samples_, limits_.Beside(quantize::OwnBytes(quantized)), network_.device());
}

std::vector<double> PlanMeter::Divergences(const std::vector<std::size_t>& choices) const {
  const at::Tensor losses = SampleLosses(divergence_, Outputs(choices), float_outputs_, labels()).cpu().contiguous();
  const auto* const first = losses.const_data_ptr<double>();
  if (!losses.isfinite().all().item<bool>())
    throw Error("the output of a quantized network, or of the float one, is not finite");
  return {first, first + losses.numel()};
}

}  // namespace bitplan::choose
