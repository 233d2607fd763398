#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "bitplan/data.h"
#include "bitplan/loss.h"
#include "bitplan/network.h"
#include "bitplan/progress.h"

namespace bitplan {

/// A scalar to be differentiated, batch by batch: the mean loss over a data set.
class LossFunction {
 public:
  /// Batches of `batch_size` samples; their mean losses are weighted by their sizes. With Loss::Divergence the float
  /// network's logits are computed once per batch.
  LossFunction(Network network, Dataset data, Loss loss, std::int64_t batch_size);

  std::size_t batches() const;
  double weight(std::size_t batch) const;  ///< share of the samples, sums to 1
  std::int64_t samples(std::size_t batch) const;
  Loss loss() const;  ///< never Auto
  const Network& network() const;

  /// Loss of one batch with `parameters` and, unless null, a probe; a differentiable scalar. Throws Error when not finite.
  at::Tensor operator()(std::size_t batch, const std::vector<at::Tensor>& parameters, Probe* probe = nullptr) const;

 private:
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

/// The tensors that second derivatives are taken in: layers' weights, or one layer's inputs over all samples.
struct Variables {
  std::vector<int> layers;   ///< indices in Network::layers()
  bool activations = false;  ///< the inputs of these layers instead of their weights
};

/// v ↦ H v for the Hessian H of the mean loss in the given variables, exact, by double backward (Pearlmutter 1994). Has what
/// Spectra asks of an operator: Scalar, rows(), cols(), perform_op(). Memory is that of one batch; its graph is kept between
/// products when there is only one batch. Vectors are the variables' elements in row-major order, one after the other.
class HessianOperator {
 public:
  using Scalar = double;

  /// Throws Error: no variables, a layer index outside the network, a layer without an input that can be tapped.
  HessianOperator(LossFunction loss, Variables variables);

  std::ptrdiff_t rows() const;
  std::ptrdiff_t cols() const { return rows(); }
  void perform_op(const double* x, double* y) const;  ///< y = H x; both of length rows()

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

struct EigenOptions {
  int count = 1;             ///< eigenvalues wanted, ≥ 1 (at most rows())
  double tolerance = 1e-3;   ///< on ‖Hv − λv‖ / |λ|, > 0
  int max_products = 200;    ///< Hessian-vector products at most, ≥ 2
  std::uint64_t seed = 0;    ///< of the starting vector
  ProgressCallback progress;

  void Validate() const;  ///< throws Error
};

/// Eigenvalues largest in magnitude, and how well each was found.
struct Eigenpairs {
  std::vector<double> values;     ///< by falling magnitude
  std::vector<double> residuals;  ///< ‖Hv − λv‖ for the unit vector v of each, computed with one more product
  std::vector<std::vector<double>> vectors;  ///< unit length, rows() elements each
  bool converged = false;         ///< every residual is within the tolerance
  int products = 0;               ///< Hessian-vector products spent
};

/// Top eigenvalues by implicitly restarted Lanczos (Spectra); tiny operators by a dense solver (Eigen).
Eigenpairs TopEigenpairs(const HessianOperator& hessian, const EigenOptions& options);

struct TraceOptions {
  int min_probes = 16;      ///< ≥ 2
  int max_probes = 128;     ///< ≥ min_probes
  double tolerance = 0.05;  ///< stop when every standard error is below this share of its trace
  std::uint64_t seed = 0;
  ProgressCallback progress;

  void Validate() const;  ///< throws Error
};

struct TraceEstimate {
  double value = 0;
  double standard_error = 0;  ///< of the mean over the probes
  bool significant = false;   ///< value > 2 · standard_error
  int probes = 0;
};

/// Hutchinson's estimate (1990) of the trace of each variable's own Hessian block, all of them from the same products: with
/// Rademacher v over all variables, E[v_lᵀ (Hv)_l] = trace(H_ll), since cross terms average to zero. One per entry of
/// `variables.layers`.
std::vector<TraceEstimate> Traces(const LossFunction& loss, const Variables& variables, const TraceOptions& options);

}  // namespace bitplan
