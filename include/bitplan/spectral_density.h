#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "bitplan/curvature.h"
#include "bitplan/gauss_newton.h"
#include "bitplan/progress.h"
#include "bitplan/statistics.h"

namespace bitplan {

struct SpectralDensityOptions {
  int probes = 10;  ///< random vectors, ≥ 1; standard errors need two
  int steps = 0;    ///< of Lanczos for each, products of the matrix: 1 … its rows; 0: 80, or as many as it has rows
  std::int64_t memory_bytes = std::int64_t{2} << 30;  ///< of the basis: 8 bytes for every step and row; > 0
  std::uint64_t seed = 0;
  ProgressCallback progress;

  void Validate() const;  ///< throws Error

  /// What the basis takes for a matrix of so many rows. Throws Error when steps are more than these, or there are none.
  std::int64_t BasisBytes(std::ptrdiff_t rows) const;
};

/// Gauss quadrature of what one random vector v sees of a symmetric matrix A: Σ weights · f(nodes) = vᵀ f(A) v / vᵀv,
/// exact for polynomials of a degree below twice the number of nodes.
struct Quadrature {
  std::vector<double> nodes;    ///< ascending
  std::vector<double> weights;  ///< ≥ 0, sum to 1
};

/// How the eigenvalues of a symmetric matrix are distributed, estimated from random vectors. Standard errors are over
/// these, 0 where there is only one.
struct SpectralDensity {
  std::int64_t rows = 0;           ///< of the matrix
  std::vector<Quadrature> probes;  ///< at least one
  int products = 0;                ///< of the matrix, spent

  /// Least and largest eigenvalue that Lanczos saw. The true ones lie outside, mostly by little.
  double Least() const;
  double Largest() const;

  /// Mean of the eigenvalues' powers, trace(Aᵏ) / rows, for k = `order` ≥ 0.
  Estimate Moment(int order) const;

  /// Share of the eigenvalues in [low, high].
  Estimate Share(double low, double high) const;
};

/// Spectral density by stochastic Lanczos quadrature (Golub and Welsch 1969; Ubaru, Chen and Saad 2017; Ghorbani,
/// Krishnan and Xiao 2019): from Rademacher vectors, each with its own Lanczos run, fully reorthogonalized. A run ends
/// early where its vectors span an invariant subspace. Equal operators and seeds give equal results. Throws Error:
/// options out of range, more steps than rows, an operator without rows, a product that is not finite.
SpectralDensity EstimateSpectralDensity(const HessianOperator& hessian, const SpectralDensityOptions& options);
SpectralDensity EstimateSpectralDensity(const GaussNewtonOperator& matrix, const SpectralDensityOptions& options);

/// A density over the eigenvalues, in their unit to the power of −1. Its integral is 1.
struct DensityCurve {
  double width = 0;                 ///< standard deviation of the Gaussian that stands for each node
  std::vector<double> eigenvalues;  ///< equally spaced, from below the least to above the largest, with 0 between them
  std::vector<double> density;      ///< ≥ 0
  std::vector<double> standard_errors;
};

/// Smooths a density with Gaussians. `width`, above 0 and at most 1: their standard deviation as a share of the
/// eigenvalues' range, 0 included; `points`: at least 3 (1 / width + 12), to resolve them. Throws Error outside these
/// ranges.
DensityCurve Smoothed(const SpectralDensity& density, double width = 0.004, int points = 1000);

/// Columns eigenvalue, density, standard error.
std::string ToCsv(const DensityCurve& curve);

/// The density on a logarithmic axis, with a band of one standard error; what is less than a tenth of what a single one
/// of `rows` eigenvalues would add is left out.
std::string ToSvg(const DensityCurve& curve, std::int64_t rows, const std::string& title);

}  // namespace bitplan
