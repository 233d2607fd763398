#include "curvature/hessian_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace bitplan::hessian {

std::int64_t HessianEigenvalues::Units() {
  return static_cast<std::int64_t>(loss_->Reached(of_inputs_).layers.size()) * BatchesOfLayer();
}

std::vector<double> HessianEigenvalues::Numbers(std::int64_t unit) {
  return context_.records.Get<double>(fmt::format("{}, {}", name(), unit), 4, [&] { return ComputeNumbers(unit); });
}

std::vector<double> HessianEigenvalues::ComputeNumbers(std::int64_t unit) {
  const std::int64_t units = Units(), batches = BatchesOfLayer();
  const int layer = loss_->Reached(of_inputs_).layers[static_cast<std::size_t>(unit / batches)];
  EigenOptions eigen = *loss_->options().eigen;
  eigen.progress = [&](const Progress& step) {
    Report(loss_->options().progress, name(), unit * step.total + step.done, units * step.total);
  };
  const LossFunction loss =
      of_inputs_ ? loss_->Get().OnlyBatch(static_cast<std::size_t>(unit % batches)) : loss_->Get();
  const Eigenpairs pairs = TopEigenpairs(HessianOperator(loss, {.layers = {layer}, .activations = of_inputs_}), eigen);
  if (pairs.values.empty()) return std::vector<double>(4);
  return {1, pairs.values[0], pairs.residuals[0], static_cast<double>(pairs.converged)};
}

/// Of inputs it is a sample's Hessian whose eigenvalue is looked for. Batches do not interact, and the mean over a
/// batch divides by its size; so each batch is solved for itself, at the cost of one for all and the memory of one.
void HessianEigenvalues::Finish() {
  if (of_inputs_)
    for (LayerSensitivity& layer : context_.result.layers) layer.activation.eigenvalue = 0;
  std::int64_t unit = 0;
  for (const int index : loss_->Reached(of_inputs_).layers) {
    LayerSensitivity& layer = context_.result.layers[static_cast<std::size_t>(index)];
    Curvature& curvature = of_inputs_ ? layer.activation : layer.weight;
    curvature.eigenvalue = 0;
    curvature.eigenvalue_converged = true;
    for (std::int64_t batch = 0; batch < BatchesOfLayer(); ++batch) {
      const std::vector<double> numbers = Numbers(unit++);
      if (numbers[0] == 0) continue;  // not reached in this batch
      if (numbers[3] == 0) curvature.eigenvalue_converged = false;
      const auto samples = static_cast<double>(of_inputs_ ? loss_->Samples(batch) : 1);
      if (of_inputs_ && samples * std::abs(numbers[1]) <= std::abs(*curvature.eigenvalue)) continue;
      curvature.eigenvalue = samples * numbers[1];
      curvature.eigenvalue_residual = samples * numbers[2];
    }
  }
}

std::int64_t HessianTraces::Units() {
  const TraceOptions& options = *loss_->options().trace;
  if (loss_->Reached(of_inputs_).layers.empty()) return 0;
  return (options.max_probes + options.min_probes - 1) / options.min_probes;
}

std::vector<double> HessianTraces::Probes(std::int64_t unit) {
  const TraceOptions& options = *loss_->options().trace;
  const Variables variables = loss_->Reached(of_inputs_);
  const int first = static_cast<int>(unit) * options.min_probes,
            last = std::min(first + options.min_probes, options.max_probes);
  const std::size_t count = static_cast<std::size_t>(last - first) * variables.layers.size();
  return context_.records.Get<double>(fmt::format("{}, probes {} to {}", name(), first, last - 1), count, [&] {
    if (!probes_) {
      TraceOptions trace = options;
      trace.progress = [this](const Progress& step) {
        Report(loss_->options().progress, name(), step.done, step.total);
      };
      probes_.emplace(loss_->Get(), variables, trace);
    }
    return probes_->Take(first, last);
  });
}

void HessianTraces::Finish() {
  if (of_inputs_)
    for (LayerSensitivity& layer : context_.result.layers) layer.activation.trace = 0;
  const std::vector<int> layers = loss_->Reached(of_inputs_).layers;
  std::vector<double> probes;
  std::vector<TraceEstimate> estimates;
  for (std::int64_t unit = 0; unit < Units(); ++unit) {
    const std::vector<double> block = Probes(unit);
    probes.insert(probes.end(), block.begin(), block.end());
    estimates = TracesOfProbes(probes, layers.size());
    if (PreciseEnough(estimates, loss_->options().trace->tolerance)) break;
  }
  for (std::size_t i = 0; i < estimates.size(); ++i) {
    LayerSensitivity& layer = context_.result.layers[static_cast<std::size_t>(layers[i])];
    Curvature& curvature = of_inputs_ ? layer.activation : layer.weight;
    curvature.trace = estimates[i].value;
    curvature.trace_standard_error = estimates[i].standard_error;
    curvature.trace_significant = estimates[i].significant;
  }
}

void AddHessianSteps(const AnalysisContext& context, const HessianFigureOptions& options, AnalysisSteps& steps) {
  const auto loss = std::make_shared<HessianLoss>(context, options);
  for (const bool of_inputs : {false, true}) {
    if (!(of_inputs ? options.of_inputs : options.of_weights)) continue;
    if (options.eigen) steps.push_back(std::make_unique<HessianEigenvalues>(context, loss, of_inputs));
    if (options.trace) steps.push_back(std::make_unique<HessianTraces>(context, loss, of_inputs));
  }
}

}  // namespace bitplan::hessian
