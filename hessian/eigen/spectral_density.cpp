#include "bitplan/spectral_density.h"

#include <fmt/format.h>
#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>

#include "bitplan/error.h"
#include "curvature/random_vector.h"
#include "eigen/lanczos_quadrature.h"
#include "eigen/symmetric_operator.h"
#include "shifts/shift_figures.h"
#include "tuning.h"

namespace bitplan {

namespace {

int StepsOf(const SpectralDensityOptions& options, std::ptrdiff_t rows) {
  if (rows == 0) throw Error("the spectral density of nothing: none of the variables takes part in the loss");
  if (options.steps > rows)
    throw Error(
        fmt::format("steps is {}, and the matrix has only {} rows; steps are at most its rows", options.steps, rows));
  return static_cast<int>(options.steps > 0 ? options.steps : std::min(hessian::tuning::kDensitySteps, rows));
}

SpectralDensity FromProducts(std::ptrdiff_t rows, const hessian::SymmetricOperator::Product& product,
                             const SpectralDensityOptions& options) {
  options.Validate();
  const int steps = StepsOf(options, rows);
  if (const std::int64_t bytes = options.BasisBytes(rows); bytes > options.memory_bytes)
    throw Error(fmt::format("{} steps over {} rows take {} MiB, the memory limit is {} MiB; take fewer steps or layers",
                            steps, rows, bytes >> 20, options.memory_bytes >> 20));
  const at::NoGradGuard no_gradient;
  const hessian::SymmetricOperator matrix(rows, product, options.probes * steps, options.progress, "spectral density");
  const at::Tensor like = torch::empty({rows}, torch::kDouble);
  SpectralDensity density;
  density.rows = rows;
  for (int probe = 0; probe < options.probes; ++probe) {
    auto generator = hessian::MakeGenerator(options.seed, static_cast<std::uint64_t>(probe));
    density.probes.push_back(hessian::LanczosQuadrature(matrix, hessian::Rademacher(like, generator), steps));
  }
  density.products = matrix.products();
  return density;
}

/// Mean over the probes of Σ weight · f(node).
Estimate MeanOf(const std::vector<Quadrature>& probes, const std::function<double(double)>& f) {
  std::vector<double> of_probes;
  for (const Quadrature& probe : probes) {
    double sum = 0;
    for (std::size_t i = 0; i < probe.nodes.size(); ++i) sum += probe.weights[i] * f(probe.nodes[i]);
    of_probes.push_back(sum);
  }
  return hessian::MeanOfSamples(of_probes);
}

}  // namespace

void SpectralDensityOptions::Validate() const {
  if (probes < 1) throw Error(fmt::format("probes is {}, must be at least 1", probes));
  if (steps < 0) throw Error(fmt::format("steps is {}, must be at least 1, or 0 for the default", steps));
  if (memory_bytes <= 0) throw Error(fmt::format("memory_bytes is {}, must be above 0", memory_bytes));
}

std::int64_t SpectralDensityOptions::BasisBytes(std::ptrdiff_t rows) const {
  return std::int64_t{8} * StepsOf(*this, rows) * rows;
}

SpectralDensity EstimateSpectralDensity(const HessianOperator& hessian, const SpectralDensityOptions& options) {
  return FromProducts(hessian.rows(), [&](const double* x, double* y) { hessian.perform_op(x, y); }, options);
}

SpectralDensity EstimateSpectralDensity(const GaussNewtonOperator& matrix, const SpectralDensityOptions& options) {
  return FromProducts(matrix.rows(), [&](const double* x, double* y) { matrix.perform_op(x, y); }, options);
}

double SpectralDensity::Least() const {
  const auto least = [](const Quadrature& a, const Quadrature& b) { return a.nodes.front() < b.nodes.front(); };
  return std::min_element(probes.begin(), probes.end(), least)->nodes.front();
}

double SpectralDensity::Largest() const {
  const auto least = [](const Quadrature& a, const Quadrature& b) { return a.nodes.back() < b.nodes.back(); };
  return std::max_element(probes.begin(), probes.end(), least)->nodes.back();
}

Estimate SpectralDensity::Moment(int order) const {
  if (order < 0) throw Error(fmt::format("the order of a moment is {}, must be at least 0", order));
  return MeanOf(probes, [&](double node) { return std::pow(node, order); });
}

Estimate SpectralDensity::Share(double low, double high) const {
  return MeanOf(probes, [&](double node) { return low <= node && node <= high ? 1.0 : 0.0; });
}

DensityCurve Smoothed(const SpectralDensity& density, double width, int points) {
  if (!(width > 0 && width <= 1))
    throw Error(fmt::format("the width is {} of the range, must be above 0 and at most 1", width));
  const double enough = std::ceil(hessian::tuning::kPointsPerWidth * (1 / width + 2 * hessian::tuning::kTails));
  if (points < enough)
    throw Error(
        fmt::format("{} points do not resolve a width of {} of the range; at least {} do", points, width, enough));
  const double low = std::min(density.Least(), 0.0), high = std::max(density.Largest(), 0.0);
  DensityCurve curve;
  curve.width = width * (high > low ? high - low : 1);  // of a matrix of zeros there is no range
  const double begin = low - hessian::tuning::kTails * curve.width, end = high + hessian::tuning::kTails * curve.width;
  const double height = 1 / (curve.width * std::sqrt(2 * std::numbers::pi));
  for (int i = 0; i < points; ++i) {
    const double at = begin + (end - begin) * i / (points - 1);
    const Estimate there = MeanOf(density.probes, [&](double node) {
      const double away = (at - node) / curve.width;
      return height * std::exp(-away * away / 2);
    });
    curve.eigenvalues.push_back(at);
    curve.density.push_back(there.value);
    curve.standard_errors.push_back(there.standard_error);
  }
  return curve;
}

}  // namespace bitplan
