#include "gauss_newton/matrix_figures.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>

#include "bitplan/pass_limits.h"
#include "eigen/eigen_solvers.h"
#include "gauss_newton/gauss_newton_blocks.h"
#include "largest_weight.h"

namespace bitplan::hessian {

namespace {

/// What eigenpairs of one layer's matrix hold beside its rows; 0 where none are wanted. Where the matrix has fewer rows
/// than columns they come by way of those, and are a few vectors of the weight's size.
std::int64_t EigenvectorBytes(const Network& network, std::int64_t samples, const std::optional<EigenOptions>& eigen) {
  if (!eigen) return 0;
  constexpr std::int64_t kVectors = 6, kRowsOfSample = 16;
  const std::int64_t elements = LargestWeight(network);
  return 8 * kVectors * elements + EigenpairBytes(std::min(elements, kRowsOfSample * samples), eigen->count);
}

}  // namespace

const GaussNewton& MatrixRows::Get() {
  if (!matrix_) {
    GaussNewtonOptions options = options_.matrix;
    const std::int64_t held = EigenvectorBytes(context_.network, context_.data.size(), options_.eigen);
    options.memory_bytes = PassLimits(1, options.memory_bytes).Beside(held).memory_bytes;
    matrix_ = GaussNewton::Blocks::Prepare(context_.network, context_.data, options);
  }
  return *matrix_;
}

std::vector<double> ArithmeticDifferences::Numbers() {
  const std::size_t layers = context_.network.layers().size();
  return context_.records.Get<double>(name(), 2 * layers, [&] {
    std::vector<double> numbers;
    for (std::size_t i = 0; i < layers; ++i) {
      const ArithmeticDifference difference = rows_->Get().FromFloat32(i);
      numbers.insert(numbers.end(), {difference.rows, difference.trace});
    }
    return numbers;
  });
}

void ArithmeticDifferences::Finish() {
  const std::vector<double> numbers = Numbers();
  for (std::size_t i = 0; i < context_.result.layers.size(); ++i)
    context_.result.layers[i].difference_from_float32 = {numbers[2 * i], numbers[2 * i + 1]};
}

std::vector<double> MatrixEigenvalues::Numbers(std::size_t layer) {
  return context_.records.Get<double>(fmt::format("{}, {}", name(), layer), 3, [&] {
    const MatrixFigureOptions& options = rows_->options();
    const Eigenpairs pairs = TopEigenpairs(GaussNewtonOperator(rows_->Get(), {layer}), *options.eigen);
    Report(options.matrix.progress, "curvature", static_cast<std::int64_t>(layer + 1), Units());
    return std::vector<double>{pairs.values.front(), pairs.residuals.front(), static_cast<double>(pairs.converged)};
  });
}

void MatrixEigenvalues::Finish() {
  for (std::size_t i = 0; i < context_.result.layers.size(); ++i) {
    const std::vector<double> numbers = Numbers(i);
    Curvature& curvature = context_.result.layers[i].weight;
    curvature.eigenvalue = numbers[0];
    curvature.eigenvalue_residual = numbers[1];
    curvature.eigenvalue_converged = numbers[2] != 0;
  }
}

void AddMatrixSteps(const AnalysisContext& context, const MatrixFigureOptions& options, AnalysisSteps& steps) {
  const auto rows = std::make_shared<MatrixRows>(context, options);
  if (options.matrix.compute != Arithmetic::Float32)
    steps.push_back(std::make_unique<ArithmeticDifferences>(context, rows));
  if (options.eigen) steps.push_back(std::make_unique<MatrixEigenvalues>(context, rows));
  if (options.traces || options.fisher) steps.push_back(std::make_unique<MatrixSums>(context, rows));
}

}  // namespace bitplan::hessian
