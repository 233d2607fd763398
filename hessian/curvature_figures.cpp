#include "hessian/curvature_figures.h"

#include <fmt/format.h>
#include <torch/torch.h>

#include <algorithm>
#include <cstddef>
#include <optional>

#include "bitplan/gauss_newton.h"
#include "bitplan/quantize.h"
#include "hessian/layer_curvature.h"
#include "hessian/resolve_loss.h"

namespace bitplan {

namespace {

bool Wants(const AnalyzeOptions& options, Measure measure) {
  return std::find(options.measures.begin(), options.measures.end(), measure) != options.measures.end();
}

bool NeedsCurvature(const AnalyzeOptions& options) { return Wants(options, Measure::Eigenvalue) || Wants(options, Measure::Trace); }

/// What the Gauss-Newton matrix of one layer says.
struct LayerFigures {
  TraceEstimate trace;
  double eigenvalue = 0, residual = 0;
  bool converged = false;
  std::vector<double> fisher;  ///< of each choice of its weight; 0 at 32 bits
};

std::vector<double> Numbers(const LayerFigures& figures) {
  std::vector<double> numbers{figures.trace.value, figures.trace.standard_error, static_cast<double>(figures.trace.significant),
                              figures.eigenvalue,  figures.residual,             static_cast<double>(figures.converged)};
  numbers.insert(numbers.end(), figures.fisher.begin(), figures.fisher.end());
  return numbers;
}

LayerFigures FiguresOf(const std::vector<double>& numbers) {
  LayerFigures figures{{numbers[0], numbers[1], numbers[2] != 0, 0}, numbers[3], numbers[4], numbers[5] != 0, {}};
  figures.fisher.assign(numbers.begin() + 6, numbers.end());
  return figures;
}

std::vector<double> FisherFigures(const GaussNewton& matrix, std::size_t i, const Network& network, const AnalyzeOptions& options,
                                  const LayerSensitivity& facts) {
  const Layer& layer = network.layers()[i];
  const at::Tensor diagonal = matrix.Diagonal(i), weight = network.Weight(layer);
  std::vector<double> figures;
  for (const Perturbation& choice : facts.weight_choices) {
    figures.push_back(0);
    if (choice.bits == 32) continue;
    const at::Tensor change = QuantizeWeight(weight, options.weight_format.WithBits(choice.bits), layer.channel_axis).value - weight;
    figures.back() = (diagonal * change.to(at::kDouble).square()).sum().item<double>() / 2;
  }
  return figures;
}

LayerFigures Compute(const GaussNewton& matrix, std::size_t i, const Network& network, const AnalyzeOptions& options,
                     const LayerSensitivity& facts) {
  LayerFigures figures;
  if (Wants(options, Measure::Trace)) figures.trace = matrix.Trace(i);
  if (Wants(options, Measure::Eigenvalue)) {
    EigenOptions eigen = options.eigen;
    eigen.seed = options.seed;
    const Eigenpairs pairs = TopEigenpairs(GaussNewtonOperator(matrix, {i}), eigen);
    figures.eigenvalue = pairs.values.front();
    figures.residual = pairs.residuals.front();
    figures.converged = pairs.converged;
  }
  if (Wants(options, Measure::Fisher)) figures.fisher = FisherFigures(matrix, i, network, options, facts);
  return figures;
}

void Put(const LayerFigures& figures, const AnalyzeOptions& options, LayerSensitivity& layer) {
  Curvature& curvature = layer.weight;
  if (Wants(options, Measure::Trace) && !options.exact_hessian) {
    curvature.trace = figures.trace.value;
    curvature.trace_standard_error = figures.trace.standard_error;
    curvature.trace_significant = figures.trace.significant;
  }
  if (Wants(options, Measure::Eigenvalue) && !options.exact_hessian) {
    curvature.eigenvalue = figures.eigenvalue;
    curvature.eigenvalue_residual = figures.residual;
    curvature.eigenvalue_converged = figures.converged;
  }
  if (!Wants(options, Measure::Fisher)) return;
  for (std::size_t k = 0; k < layer.weight_choices.size(); ++k)
    if (layer.weight_choices[k].bits < 32) layer.weight_choices[k].figures[Measure::Fisher] = {figures.fisher[k], 0};
}

}  // namespace

void AddHessians(const Network& network, const Dataset& data, const AnalyzeOptions& options,
                 const std::vector<std::int64_t>& input_elements, Journal& journal, std::vector<LayerSensitivity>& layers) {
  if (!NeedsCurvature(options) || (!options.exact_hessian && input_elements.empty())) return;
  const LossFunction loss(network, data.First(options.curvature_samples), ResolveLoss(options.loss, data), options.batch_size,
                          options.temperature);
  if (options.exact_hessian) {
    const std::vector<Curvature> weights = WeightCurvatures(loss, options, journal);
    for (std::size_t i = 0; i < layers.size(); ++i) layers[i].weight = weights[i];
  }
  if (input_elements.empty()) return;
  const std::vector<Curvature> inputs = InputCurvatures(loss, options, input_elements, journal);
  for (std::size_t i = 0; i < layers.size(); ++i) layers[i].activation = inputs[i];
}

void AddGaussNewton(const Network& network, const Dataset& data, const AnalyzeOptions& options, Journal& journal,
                    std::vector<LayerSensitivity>& layers) {
  if (!Wants(options, Measure::Fisher) && (!NeedsCurvature(options) || options.exact_hessian)) return;
  GaussNewtonOptions given;
  given.loss = options.loss;
  given.temperature = options.temperature;
  given.memory_bytes = options.memory_bytes;
  given.seed = options.seed;
  given.progress = options.progress;
  std::optional<GaussNewton> matrix;  // computed once some layer's figures are not in the journal
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const std::string step = fmt::format("Gauss-Newton matrix of layer {}", i);
    if (const std::optional<std::vector<double>> numbers = journal.Find<double>(step)) {
      Put(FiguresOf(*numbers), options, layers[i]);
      continue;
    }
    if (!matrix) matrix = GaussNewton::Compute(network, data, given);
    const LayerFigures figures = Compute(*matrix, i, network, options, layers[i]);
    journal.Add(step, Numbers(figures));
    Put(figures, options, layers[i]);
    Report(options.progress, "curvature", static_cast<std::int64_t>(i + 1), static_cast<std::int64_t>(layers.size()));
  }
}

}  // namespace bitplan
