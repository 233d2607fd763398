#include "curvature/layer_curvature.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "bitplan/curvature.h"

namespace bitplan::hessian {

namespace {

/// The first eigenpair's figures.
struct Eigenvalue {
  double value = 0, residual = 0;
  bool converged = true;
};

/// Runs Lanczos once per step of a longer task, and reports the products of all of them.
class EigenvalueTask {
 public:
  EigenvalueTask(const AnalyzeOptions& options, std::string_view stage, std::size_t steps, files::Journal& journal)
      : options_(options), stage_(stage), steps_(static_cast<std::int64_t>(steps)), journal_(journal) {}

  std::optional<Eigenvalue> Next(const LossFunction& loss, const Variables& variables) {
    const std::string step = fmt::format("{}, {}", stage_, done_);
    std::optional<std::vector<double>> numbers = journal_.Find<double>(step, kNumbers);
    if (!numbers) {
      numbers = Compute(loss, variables);
      journal_.Add(step, *numbers);
    }
    ++done_;
    if ((*numbers)[0] == 0) return std::nullopt;
    return Eigenvalue{(*numbers)[1], (*numbers)[2], (*numbers)[3] != 0};
  }

 private:
  static constexpr std::size_t kNumbers = 4;  // whether the batch reaches the layer, and an Eigenvalue

  std::vector<double> Compute(const LossFunction& loss, const Variables& variables) const {
    EigenOptions eigen = FirstEigenvalue(options_);
    eigen.progress = [this](const Progress& step) {
      Report(options_.progress, stage_, done_ * step.total + step.done, steps_ * step.total);
    };
    const Eigenpairs pairs = TopEigenpairs(HessianOperator(loss, variables), eigen);
    if (pairs.values.empty()) return std::vector<double>(kNumbers);
    return {1, pairs.values[0], pairs.residuals[0], static_cast<double>(pairs.converged)};
  }

  const AnalyzeOptions& options_;
  std::string_view stage_;
  std::int64_t steps_;
  files::Journal& journal_;
  std::int64_t done_ = 0;
};

void SetTraces(const LossFunction& loss, const AnalyzeOptions& options, const Variables& variables,
               std::string_view stage, files::Journal& journal, std::vector<Curvature>& curvatures) {
  std::optional<std::vector<double>> numbers = journal.Find<double>(std::string(stage), 3 * variables.layers.size());
  if (!numbers) {
    const auto& [min_probes, max_probes, tolerance] = options.trace;
    TraceOptions trace{min_probes, max_probes, tolerance, options.seed, {}};
    trace.progress = [&](const Progress& step) { Report(options.progress, stage, step.done, step.total); };
    numbers.emplace();
    for (const TraceEstimate& estimate : Traces(loss, variables, trace))
      numbers->insert(numbers->end(),
                      {estimate.value, estimate.standard_error, static_cast<double>(estimate.significant)});
    journal.Add(std::string(stage), *numbers);
  }
  for (std::size_t i = 0; i < variables.layers.size(); ++i) {
    Curvature& curvature = curvatures[static_cast<std::size_t>(variables.layers[i])];
    curvature.trace = (*numbers)[3 * i];
    curvature.trace_standard_error = (*numbers)[3 * i + 1];
    curvature.trace_significant = (*numbers)[3 * i + 2] != 0;
  }
}

/// The eigenvalue of a sample's Hessian that is largest in magnitude. Batches do not interact, and the mean over a
/// batch divides by its size; so each batch is solved for itself, at the cost of one for all and the memory of one.
void SetInputEigenvalue(const LossFunction& loss, int layer, EigenvalueTask& task, Curvature& curvature) {
  curvature.eigenvalue = 0;
  curvature.eigenvalue_converged = true;
  for (std::size_t batch = 0; batch < loss.batches(); ++batch) {
    const std::optional<Eigenvalue> found = task.Next(loss.OnlyBatch(batch), {.layers = {layer}, .activations = true});
    if (!found) continue;  // not reached in this batch
    const auto samples = static_cast<double>(loss.samples(batch));
    if (!found->converged) curvature.eigenvalue_converged = false;
    if (samples * std::abs(found->value) <= std::abs(*curvature.eigenvalue)) continue;
    curvature.eigenvalue = samples * found->value;
    curvature.eigenvalue_residual = samples * found->residual;
  }
}

}  // namespace

EigenOptions FirstEigenvalue(const AnalyzeOptions& options) {
  const auto& [tolerance, max_products] = options.eigen;
  return {.count = 1, .tolerance = tolerance, .max_products = max_products, .seed = options.seed, .progress = {}};
}

bool Wants(const AnalyzeOptions& options, Measure measure) {
  return std::find(options.measures.begin(), options.measures.end(), measure) != options.measures.end();
}

std::vector<Curvature> WeightCurvatures(const LossFunction& loss, const AnalyzeOptions& options,
                                        files::Journal& journal) {
  const Network& network = loss.network();
  std::vector<Curvature> curvatures(network.layers().size());
  Variables all;
  for (std::size_t i = 0; i < curvatures.size(); ++i) {
    curvatures[i].elements = network.Weight(network.layers()[i]).numel();
    all.layers.push_back(static_cast<int>(i));
  }
  if (Wants(options, Measure::Eigenvalue)) {
    EigenvalueTask task(options, "weight eigenvalues", curvatures.size(), journal);
    for (const int layer : all.layers) {
      const Eigenvalue found = task.Next(loss, {.layers = {layer}}).value();
      Curvature& curvature = curvatures[static_cast<std::size_t>(layer)];
      curvature.eigenvalue = found.value;
      curvature.eigenvalue_residual = found.residual;
      curvature.eigenvalue_converged = found.converged;
    }
  }
  if (Wants(options, Measure::Trace)) SetTraces(loss, options, all, "weight traces", journal, curvatures);
  return curvatures;
}

std::vector<Curvature> InputCurvatures(const LossFunction& loss, const AnalyzeOptions& options,
                                       const std::vector<std::int64_t>& elements, files::Journal& journal) {
  std::vector<Curvature> curvatures(elements.size());
  Variables reached{.layers = {}, .activations = true};
  for (std::size_t layer = 0; layer < elements.size(); ++layer) {
    curvatures[layer].elements = elements[layer];
    if (elements[layer] > 0) {
      reached.layers.push_back(static_cast<int>(layer));
      continue;
    }
    if (Wants(options, Measure::Eigenvalue)) curvatures[layer].eigenvalue = 0;
    if (Wants(options, Measure::Trace)) curvatures[layer].trace = 0;
  }
  if (reached.layers.empty()) return curvatures;
  if (Wants(options, Measure::Eigenvalue)) {
    EigenvalueTask task(options, "input eigenvalues", reached.layers.size() * loss.batches(), journal);
    for (const int layer : reached.layers) {
      SetInputEigenvalue(loss, layer, task, curvatures[static_cast<std::size_t>(layer)]);
    }
  }
  if (Wants(options, Measure::Trace)) SetTraces(loss, options, reached, "input traces", journal, curvatures);
  return curvatures;
}

}  // namespace bitplan::hessian
