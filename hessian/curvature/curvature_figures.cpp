#include "curvature/curvature_figures.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>

#include "bitplan/gauss_newton.h"
#include "curvature/layer_curvature.h"
#include "eigen/eigen_solvers.h"
#include "fisher/fisher.h"
#include "process/memory_limit.h"

namespace bitplan::hessian {

namespace {

bool NeedsCurvature(const AnalyzeOptions& options) {
  return Wants(options, Measure::Eigenvalue) || Wants(options, Measure::Trace);
}

/// All layers, or of their inputs those that samples reach.
Variables Reached(const Network& network, const std::vector<std::int64_t>& input_elements, bool of_inputs) {
  Variables variables{.layers = {}, .activations = of_inputs};
  for (std::size_t i = 0; i < network.layers().size(); ++i)
    if (!of_inputs || input_elements[i] > 0) variables.layers.push_back(static_cast<int>(i));
  return variables;
}

std::int64_t LargestWeight(const Network& network) {
  std::int64_t largest = 0;
  for (const Layer& layer : network.layers()) largest = std::max(largest, network.Weight(layer).numel());
  return largest;
}

/// What eigenpairs of one layer's Gauss-Newton matrix hold beside its rows; 0 where none are wanted. Where the matrix
/// has fewer rows than columns they come by way of those, and are a few vectors of the weight's size.
std::int64_t EigenvectorBytes(const Network& network, std::int64_t samples, const AnalyzeOptions& options) {
  if (!Wants(options, Measure::Eigenvalue)) return 0;
  constexpr std::int64_t kVectors = 6, kRowsOfSample = 16;
  const std::int64_t elements = LargestWeight(network);
  return 8 * kVectors * elements +
         EigenpairBytes(std::min(elements, kRowsOfSample * samples), FirstEigenvalue(options).count);
}

/// The same for the Hessians of layers' weights and, for each of `samples` of a batch, inputs.
std::int64_t HessianVectorBytes(const Network& network, const std::vector<std::int64_t>& input_elements,
                                std::int64_t samples, const AnalyzeOptions& options) {
  if (!Wants(options, Measure::Eigenvalue)) return 0;
  std::int64_t elements = options.exact_hessian ? LargestWeight(network) : 0;
  for (const std::int64_t of_input : input_elements) elements = std::max(elements, samples * of_input);
  return EigenpairBytes(elements, FirstEigenvalue(options).count);
}

/// What the Gauss-Newton matrix of one layer says.
struct LayerFigures {
  TraceEstimate trace;
  double eigenvalue = 0, residual = 0;
  bool converged = false;
};

constexpr std::size_t kLayerNumbers = 6;

std::vector<double> Numbers(const LayerFigures& figures) {
  return {figures.trace.value,
          figures.trace.standard_error,
          static_cast<double>(figures.trace.significant),
          figures.eigenvalue,
          figures.residual,
          static_cast<double>(figures.converged)};
}

LayerFigures FiguresOf(const std::vector<double>& numbers) {
  return {{numbers[0], numbers[1], numbers[2] != 0, 0}, numbers[3], numbers[4], numbers[5] != 0};
}

LayerFigures Compute(const GaussNewton& matrix, std::size_t i, const AnalyzeOptions& options) {
  LayerFigures figures;
  if (Wants(options, Measure::Trace)) figures.trace = matrix.Trace(i);
  if (Wants(options, Measure::Eigenvalue)) {
    const Eigenpairs pairs = TopEigenpairs(GaussNewtonOperator(matrix, {i}), FirstEigenvalue(options));
    figures.eigenvalue = pairs.values.front();
    figures.residual = pairs.residuals.front();
    figures.converged = pairs.converged;
  }
  return figures;
}

void Put(const LayerFigures& figures, const AnalyzeOptions& options, Curvature& curvature) {
  if (Wants(options, Measure::Trace)) {
    curvature.trace = figures.trace.value;
    curvature.trace_standard_error = figures.trace.standard_error;
    curvature.trace_significant = figures.trace.significant;
  }
  if (Wants(options, Measure::Eigenvalue)) {
    curvature.eigenvalue = figures.eigenvalue;
    curvature.eigenvalue_residual = figures.residual;
    curvature.eigenvalue_converged = figures.converged;
  }
}

/// The figures of Measure::Fisher one after the other, as a step of a journal.
std::vector<Estimate*> FisherFigures(std::vector<LayerSensitivity>& layers) {
  std::vector<Estimate*> figures;
  for (LayerSensitivity& layer : layers)
    for (const auto kind : {&LayerSensitivity::weight_choices, &LayerSensitivity::activation_choices})
      for (Perturbation& choice : layer.*kind)
        if (choice.bits < 32) figures.push_back(&choice.figures[Measure::Fisher]);
  return figures;
}

/// The matrix of all layers, computed once something that is not in the journal needs it.
class LazyMatrix {
 public:
  LazyMatrix(const Network& network, const Dataset& data, const AnalyzeOptions& options)
      : network_(network), data_(data) {
    options_.loss = options.loss;
    options_.temperature = options.temperature;
    options_.compute = options.compute;
    const std::int64_t held = EigenvectorBytes(network, data.size(), options);
    options_.memory_bytes = PassLimits(1, options.memory_bytes).Beside(held).memory_bytes;
    options_.seed = options.seed;
    options_.progress = options.progress;
  }

  const GaussNewton& Get() {
    if (!matrix_) matrix_ = GaussNewton::Compute(network_, data_, options_);
    return *matrix_;
  }

 private:
  const Network& network_;
  const Dataset& data_;
  GaussNewtonOptions options_;
  std::optional<GaussNewton> matrix_;
};

void AddCurvatures(LazyMatrix& matrix, const AnalyzeOptions& options, files::Journal& journal,
                   std::vector<LayerSensitivity>& layers) {
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const std::string step = fmt::format("Gauss-Newton matrix of layer {}", i);
    std::optional<std::vector<double>> numbers = journal.Find<double>(step, kLayerNumbers);
    if (!numbers) {
      numbers = Numbers(Compute(matrix.Get(), i, options));
      journal.Add(step, *numbers);
      Report(options.progress, "curvature", static_cast<std::int64_t>(i + 1), static_cast<std::int64_t>(layers.size()));
    }
    Put(FiguresOf(*numbers), options, layers[i].weight);
  }
}

/// What passes in another arithmetic than float32 change.
void AddDifferences(LazyMatrix& matrix, files::Journal& journal, std::vector<LayerSensitivity>& layers) {
  const std::string step = "difference from float32";
  std::optional<std::vector<double>> numbers = journal.Find<double>(step, 2 * layers.size());
  if (!numbers) {
    numbers.emplace();
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const ArithmeticDifference difference = matrix.Get().FromFloat32(i);
      numbers->insert(numbers->end(), {difference.rows, difference.trace});
    }
    journal.Add(step, *numbers);
  }
  for (std::size_t i = 0; i < layers.size(); ++i)
    layers[i].difference_from_float32 = {(*numbers)[2 * i], (*numbers)[2 * i + 1]};
}

}  // namespace

void AddHessians(const Network& network, const Dataset& data, const AnalyzeOptions& options,
                 const std::vector<std::int64_t>& input_elements, files::Journal& journal,
                 std::vector<LayerSensitivity>& layers) {
  if (!NeedsCurvature(options) || (!options.exact_hessian && input_elements.empty())) return;
  const Loss settled = ResolveLoss(network, data, options.loss, options.temperature).loss;  // as for all of the data
  const Dataset samples = data.First(options.curvature_samples);
  const Criterion criterion = ResolveLoss(network, samples, settled, options.temperature);
  const auto loss_on = [&](const Dataset& some, std::int64_t batch) {
    return LossFunction(network, some, criterion, batch);
  };
  const std::int64_t batch = process::SamplesAPass(
      std::min(options.batch_size, samples.size()), options.memory_bytes, 0, [&](std::int64_t count) {
        // In place of the Lanczos basis, which is not LibTorch's.
        const at::Tensor basis = at::empty({HessianVectorBytes(network, input_elements, count, options)}, at::kByte);
        const LossFunction few = loss_on(samples.First(count), count);
        TraceOptions least;
        least.min_probes = least.max_probes = 2;
        for (const bool of_inputs : {false, true})
          if (of_inputs ? !input_elements.empty() : options.exact_hessian)
            Traces(few, Reached(network, input_elements, of_inputs), least);
      });
  const LossFunction loss = loss_on(samples, batch);
  if (options.exact_hessian) {
    const std::vector<Curvature> weights = WeightCurvatures(loss, options, journal);
    for (std::size_t i = 0; i < layers.size(); ++i) layers[i].weight = weights[i];
  }
  if (input_elements.empty()) return;
  const std::vector<Curvature> inputs = InputCurvatures(loss, options, input_elements, journal);
  for (std::size_t i = 0; i < layers.size(); ++i) layers[i].activation = inputs[i];
}

void AddGaussNewton(const Network& network, const Dataset& data, const quantize::QuantizedWeights& weights,
                    const AnalyzeOptions& options, files::Journal& journal, std::vector<LayerSensitivity>& layers) {
  const bool curvature = NeedsCurvature(options) && !options.exact_hessian, fisher = Wants(options, Measure::Fisher);
  LazyMatrix matrix(network, data, options);
  if (curvature) AddCurvatures(matrix, options, journal, layers);
  if ((curvature || fisher) && options.compute != Arithmetic::Float32) AddDifferences(matrix, journal, layers);
  if (!fisher) return;
  const std::vector<Estimate*> figures = FisherFigures(layers);
  std::optional<std::vector<double>> numbers = journal.Find<double>("fisher", 2 * figures.size());
  if (numbers) {
    for (std::size_t i = 0; i < figures.size(); ++i) *figures[i] = {(*numbers)[2 * i], (*numbers)[2 * i + 1]};
    return;
  }
  AddFisher(network, data, weights, options, matrix.Get(), layers);
  numbers.emplace();
  for (const Estimate* figure : figures) numbers->insert(numbers->end(), {figure->value, figure->standard_error});
  journal.Add("fisher", *numbers);
}

}  // namespace bitplan::hessian
