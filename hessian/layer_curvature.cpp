#include "hessian/layer_curvature.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string_view>

#include "bitplan/curvature.h"

namespace bitplan {

namespace {

bool Wants(const AnalyzeOptions& options, Measure measure) {
  return std::find(options.measures.begin(), options.measures.end(), measure) != options.measures.end();
}

/// Runs Lanczos once per step of a longer task, and reports the products of all of them.
class EigenvalueTask {
 public:
  EigenvalueTask(const AnalyzeOptions& options, std::string_view stage, std::size_t steps)
      : options_(options), stage_(stage), steps_(static_cast<std::int64_t>(steps)) {}

  Eigenpairs Next(const LossFunction& loss, const Variables& variables) {
    EigenOptions eigen = options_.eigen;
    eigen.count = 1;
    eigen.seed = options_.seed;
    eigen.progress = [this](const Progress& step) {
      Report(options_.progress, stage_, done_ * step.total + step.done, steps_ * step.total);
    };
    const Eigenpairs pairs = TopEigenpairs(HessianOperator(loss, variables), eigen);
    ++done_;
    return pairs;
  }

 private:
  const AnalyzeOptions& options_;
  std::string_view stage_;
  std::int64_t steps_;
  std::int64_t done_ = 0;
};

void SetTraces(const LossFunction& loss, const AnalyzeOptions& options, const Variables& variables,
               std::string_view stage, std::vector<Curvature>& curvatures) {
  TraceOptions trace = options.trace;
  trace.seed = options.seed;
  trace.progress = [&](const Progress& step) { Report(options.progress, stage, step.done, step.total); };
  const std::vector<TraceEstimate> estimates = Traces(loss, variables, trace);
  for (std::size_t i = 0; i < estimates.size(); ++i) {
    Curvature& curvature = curvatures[static_cast<std::size_t>(variables.layers[i])];
    curvature.trace = estimates[i].value;
    curvature.trace_standard_error = estimates[i].standard_error;
    curvature.trace_significant = estimates[i].significant;
  }
}

/// The eigenvalue of a sample's Hessian that is largest in magnitude. Batches do not interact, and the mean over a
/// batch divides by its size; so each batch is solved for itself, at the cost of one for all and the memory of one.
void SetInputEigenvalue(const LossFunction& loss, int layer, EigenvalueTask& task, Curvature& curvature) {
  curvature.eigenvalue = 0;
  curvature.eigenvalue_converged = true;
  for (std::size_t batch = 0; batch < loss.batches(); ++batch) {
    const Eigenpairs pairs = task.Next(loss.OnlyBatch(batch), {.layers = {layer}, .activations = true});
    if (pairs.values.empty()) continue;  // not reached in this batch
    const auto samples = static_cast<double>(loss.samples(batch));
    if (!pairs.converged) curvature.eigenvalue_converged = false;
    if (samples * std::abs(pairs.values[0]) <= std::abs(*curvature.eigenvalue)) continue;
    curvature.eigenvalue = samples * pairs.values[0];
    curvature.eigenvalue_residual = samples * pairs.residuals[0];
  }
}

}  // namespace

std::vector<Curvature> WeightCurvatures(const LossFunction& loss, const AnalyzeOptions& options) {
  const Network& network = loss.network();
  std::vector<Curvature> curvatures(network.layers().size());
  Variables all;
  for (std::size_t i = 0; i < curvatures.size(); ++i) {
    curvatures[i].elements = network.Weight(network.layers()[i]).numel();
    all.layers.push_back(static_cast<int>(i));
  }
  if (Wants(options, Measure::Eigenvalue)) {
    EigenvalueTask task(options, "weight eigenvalues", curvatures.size());
    for (const int layer : all.layers) {
      const Eigenpairs pairs = task.Next(loss, {.layers = {layer}});
      Curvature& curvature = curvatures[static_cast<std::size_t>(layer)];
      curvature.eigenvalue = pairs.values[0];
      curvature.eigenvalue_residual = pairs.residuals[0];
      curvature.eigenvalue_converged = pairs.converged;
    }
  }
  if (Wants(options, Measure::Trace)) SetTraces(loss, options, all, "weight traces", curvatures);
  return curvatures;
}

std::vector<Curvature> InputCurvatures(const LossFunction& loss, const AnalyzeOptions& options,
                                       const std::vector<std::int64_t>& elements) {
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
    EigenvalueTask task(options, "input eigenvalues", reached.layers.size() * loss.batches());
    for (const int layer : reached.layers) {
      SetInputEigenvalue(loss, layer, task, curvatures[static_cast<std::size_t>(layer)]);
    }
  }
  if (Wants(options, Measure::Trace)) SetTraces(loss, options, reached, "input traces", curvatures);
  return curvatures;
}

}  // namespace bitplan
