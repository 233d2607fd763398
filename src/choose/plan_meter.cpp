#include "choose/plan_meter.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "bitplan/error.h"
#include "bitplan/plan.h"

namespace bitplan {

namespace {

bool QuantizesActivations(const Sensitivity& sensitivity) {
  for (const LayerSensitivity& layer : sensitivity.layers)
    for (const Perturbation& choice : layer.activation_choices)
      if (choice.bits < 32) return true;
  return false;
}

/// All outputs of whatever has a Forward.
template <typename Runner>
at::Tensor RunAll(const Runner& runner, const ImageLayout& layout, const Dataset& samples, std::int64_t batch_size,
                  const std::string& device) {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> outputs;
  for (std::int64_t begin = 0; begin < samples.size(); begin += batch_size)
    outputs.push_back(runner.Forward(
        layout(samples.Get(begin, std::min(begin + batch_size, samples.size()), at::Device(device)).inputs)));
  return at::cat(outputs);
}

}  // namespace

PlanMeter::PlanMeter(const Network& network, const Sensitivity& sensitivity, const Problem& problem,
                     const Dataset& calibration, const Dataset& samples, const QuantizeOptions& options,
                     Loss loss)
    : network_(network),
      sensitivity_(sensitivity),
      problem_(problem),
      samples_(samples),
      batch_size_(options.batch_size),
      divergence_(ResolveLoss(network, samples, loss).With(Loss::Divergence)),
      layout_(network, samples.Get(0, 1, at::Device(network.device())).inputs),
      calibration_(Calibration::Collect(network, calibration, QuantizesActivations(sensitivity), options)),
      float_outputs_(RunAll(network, layout_, samples, batch_size_, network.device())) {}

at::Tensor PlanMeter::Outputs(const std::vector<std::size_t>& choices) const {
  Solution solution;
  solution.choices = choices;
  const Plan plan = MakePlan(sensitivity_, problem_, solution, Measure::Divergence);
  return RunAll(QuantizedNetwork::Create(network_, plan, calibration_), layout_, samples_, batch_size_,
                network_.device());
}

std::vector<double> PlanMeter::Divergences(const std::vector<std::size_t>& choices) const {
  const at::Tensor losses = SampleLosses(divergence_, Outputs(choices), float_outputs_, labels()).cpu().contiguous();
  const auto* const first = losses.const_data_ptr<double>();
  if (!losses.isfinite().all().item<bool>())
    throw Error("the output of a quantized network, or of the float one, is not finite");
  return {first, first + losses.numel()};
}

}  // namespace bitplan
