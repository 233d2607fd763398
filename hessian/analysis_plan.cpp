#include "analysis_plan.h"

#include <algorithm>
#include <memory>
#include <set>
#include <vector>

#include "fisher/input_fisher_figures.h"
#include "shifts/output_errors.h"
#include "shifts/output_shifts.h"
#include "weight_errors.h"

namespace bitplan::hessian {

namespace {

std::vector<int> Ascending(const std::vector<int>& widths) {
  const std::set<int> sorted(widths.begin(), widths.end());
  return {sorted.begin(), sorted.end()};
}

bool Wants(const AnalyzeOptions& options, Measure measure) {
  return std::find(options.measures.begin(), options.measures.end(), measure) != options.measures.end();
}

std::optional<EigenOptions> Eigenvalue(const AnalyzeOptions& options) {
  if (!Wants(options, Measure::Eigenvalue)) return std::nullopt;
  const auto& [tolerance, max_products] = options.eigen;
  return EigenOptions{
      .count = 1, .tolerance = tolerance, .max_products = max_products, .seed = options.seed, .progress = {}};
}

std::optional<TraceOptions> EstimatedTrace(const AnalyzeOptions& options) {
  if (!Wants(options, Measure::Trace)) return std::nullopt;
  const auto& [min_probes, max_probes, tolerance] = options.trace;
  return TraceOptions{min_probes, max_probes, tolerance, options.seed, {}};
}

std::optional<OutputFigureOptions> Outputs(const AnalyzeOptions& options, const Criterion& criterion) {
  OutputFigureOptions outputs;
  for (const Measure measure : options.measures)
    if (IsOfShifts(measure) && std::count(outputs.measures.begin(), outputs.measures.end(), measure) == 0)
      outputs.measures.push_back(measure);
  outputs.output_error = Wants(options, Measure::OutputError);
  outputs.keep_shifts = options.keep_shifts;
  if (outputs.measures.empty() && !outputs.output_error && !outputs.keep_shifts) return std::nullopt;
  outputs.channel_correction = options.channel_correction;
  outputs.delta = options.delta;
  outputs.precision = options.precision;
  outputs.criterion = criterion;
  outputs.limits = {options.batch_size, options.memory_bytes};
  outputs.progress = options.progress;
  return outputs;
}

std::optional<HessianFigureOptions> Hessians(const AnalyzeOptions& options, const Criterion& criterion,
                                             bool of_inputs) {
  HessianFigureOptions hessians;
  hessians.of_weights = options.exact_hessian;
  hessians.of_inputs = of_inputs;
  hessians.eigen = Eigenvalue(options);
  hessians.trace = EstimatedTrace(options);
  if ((!hessians.eigen && !hessians.trace) || (!hessians.of_weights && !hessians.of_inputs)) return std::nullopt;
  hessians.samples = options.curvature_samples;
  hessians.loss = criterion.loss;
  hessians.temperature = options.temperature;
  hessians.limits = {options.batch_size, options.memory_bytes};
  hessians.progress = options.progress;
  return hessians;
}

std::optional<MatrixFigureOptions> Matrix(const AnalyzeOptions& options) {
  MatrixFigureOptions figures;
  figures.fisher = Wants(options, Measure::Fisher);
  figures.traces = Wants(options, Measure::Trace) && !options.exact_hessian;
  if (!options.exact_hessian) figures.eigen = Eigenvalue(options);
  if (!figures.fisher && !figures.traces && !figures.eigen) return std::nullopt;
  figures.matrix.loss = options.loss;
  figures.matrix.temperature = options.temperature;
  figures.matrix.compute = options.compute;
  figures.matrix.memory_bytes = options.memory_bytes;
  figures.matrix.seed = options.seed;
  figures.matrix.progress = options.progress;
  return figures;
}

}  // namespace

ChoiceSpace ChoicesOf(const AnalyzeOptions& options) {
  return {Ascending(options.weight_bits), Ascending(options.activation_bits), options.weight_format,
          options.activation_format};
}

AnalysisPlan::AnalysisPlan(const Network& network, const Dataset& data, const AnalyzeOptions& options)
    : choices(ChoicesOf(options)),
      criterion(ResolveLoss(network, data, options.loss, options.temperature)),
      limits(options.batch_size, options.memory_bytes),
      progress(options.progress),
      outputs(Outputs(options, criterion)),
      hessians(Hessians(options, criterion, choices.QuantizesActivations())),
      matrix(Matrix(options)) {
  if (!choices.QuantizesActivations()) return;
  input_errors = InputErrorOptions{limits, progress};
  if (Wants(options, Measure::Fisher))
    input_fisher = InputFisherOptions{criterion, options.memory_bytes, options.seed, progress};
}

AnalysisSteps AnalysisPlan::Steps(const AnalysisContext& context) const {
  AnalysisSteps steps;
  steps.push_back(std::make_unique<WeightErrors>(context));
  if (input_errors) steps.push_back(std::make_unique<InputErrors>(context, *input_errors));
  if (outputs) {
    const auto shared = std::make_shared<ChoiceOutputs>(context, *outputs);
    if (outputs->output_error) steps.push_back(std::make_unique<OutputErrors>(context, shared));
    if (!outputs->measures.empty() || outputs->keep_shifts)
      steps.push_back(std::make_unique<OutputShiftFigures>(context, shared));
  }
  if (hessians) AddHessianSteps(context, *hessians, steps);
  if (matrix) AddMatrixSteps(context, *matrix, steps);
  if (input_fisher) steps.push_back(std::make_unique<InputFisherFigures>(context, *input_fisher));
  return steps;
}

}  // namespace bitplan::hessian
