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

/// A scalar to be differentiated, batch by batch: the mean loss over a data set. A value; copies share everything.
class LossFunction {
 public:
  /// Batches of `batch_size` samples, ≥ 1; their mean losses are weighted by their sizes. For losses that
  /// compare with the float network's output, it is computed once per batch, here. Throws Error: cross entropy of data
  /// without labels, a batch size below 1, logits that are not finite.
  LossFunction(Network network, Dataset data, Loss loss, std::int64_t batch_size, double temperature = 1);

  /// The same of a loss that is settled, on these samples or on more of which they are some: the labels of these need
  /// not say which it is, and may all be ignored.
  LossFunction(Network network, Dataset data, const Criterion& criterion, std::int64_t batch_size);

  std::size_t batches() const;
  double weight(std::size_t batch) const;  ///< share of the samples, sums to 1
  std::int64_t samples(std::size_t batch) const;
  Loss loss() const;  ///< never Auto
  const Network& network() const;

  /// The mean loss over one batch alone.
  LossFunction OnlyBatch(std::size_t batch) const;

  /// Loss of one batch with `parameters` and, unless null, a probe; a differentiable scalar. Throws Error when not
  /// finite, naming the batch.
  at::Tensor operator()(std::size_t batch, const std::vector<at::Tensor>& parameters, Probe* probe = nullptr) const;

 private:
  struct Impl;
  std::shared_ptr<const Impl> impl_;
  std::size_t first_ = 0, batches_ = 0;
};

/// The tensors that second derivatives are taken in: layers' weights, or layers' inputs over all samples of all
/// batches.
///
/// The variable of an input is a perturbation that is added to the tensor where layers read it; the tensor's other
/// readers (a skip connection) do not see it. A tensor that several of the listed layers read is one variable; a site
/// that is visited several times in a run has one for each tensor. Samples of different batches do not interact, so
/// that the Hessian in inputs is block diagonal over batches.
struct Variables {
  std::vector<int> layers;   ///< indices in Network::layers(), each once
  bool activations = false;  ///< the inputs of these layers instead of their weights
};

/// v ↦ H v for the Hessian H of the mean loss in the given variables, exact, by double backward (Pearlmutter 1994). Has
/// what Spectra asks of an operator: Scalar, rows(), cols(), perform_op(). Memory is that of one batch; its graph is
/// kept between products when there is only one batch. Vectors are the variables' elements in row-major order, one
/// after the other; an input's are its samples in data order. The network computes in float32, so that products carry a
/// relative error of about 1e-6 of the Hessian's norm. A variable that the loss does not depend on, or only linearly,
/// has zero rows and columns.
///
/// Copies share the graph, and a product works on it: of one operator and its copies, products that are asked for by
/// several threads are taken one after the other, with the bits that they have alone. Operators that were made apart
/// share nothing, and compute side by side.
class HessianOperator {
 public:
  using Scalar = double;

  /// Throws Error: no variables, a layer index outside the network or listed twice, a layer without an input that can
  /// be tapped, a layer behind an operator without second derivatives (named). A layer that is never run has a zero
  /// Hessian in its weight and no variable as input.
  HessianOperator(LossFunction loss, Variables variables);

  std::ptrdiff_t rows() const;
  std::ptrdiff_t cols() const { return rows(); }
  void perform_op(const double* x, double* y) const;  ///< y = H x; both of length rows()

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

/// How well eigenvalues are to be found, and at what effort.
struct EigenLimits {
  double tolerance = 1e-3;  ///< on ‖Hv − λv‖ / |λ|, > 0; float32 cannot meet much less than 1e-5
  int max_products = 200;   ///< Hessian-vector products at most, ≥ 2; 2 · count + 2 are spent whatever is asked

  void Validate() const;  ///< throws Error
};

struct EigenOptions {
  int count = 1;                                  ///< eigenvalues wanted, ≥ 1; all of them when there are fewer
  double tolerance = EigenLimits{}.tolerance;     ///< see EigenLimits
  int max_products = EigenLimits{}.max_products;  ///< likewise
  std::uint64_t seed = 0;                         ///< of the starting vector
  ProgressCallback progress;

  void Validate() const;  ///< throws Error
};

/// Eigenvalues largest in magnitude, and how well each was found.
struct Eigenpairs {
  std::vector<double> values;     ///< by falling magnitude
  std::vector<double> residuals;  ///< ‖Hv − λv‖ for the unit vector v of each, computed with one more product
  std::vector<std::vector<double>> vectors;  ///< unit length, rows() elements each
  bool converged = false;                    ///< every residual is within tolerance · |λ|
  int products = 0;                          ///< Hessian-vector products spent
};

/// Top eigenvalues by implicitly restarted Lanczos (Spectra); operators of at most 64 rows, or of which nearly all
/// eigenvalues are wanted, by a dense solver (Eigen) from rows() products. Where `max_products` runs out first, the
/// best estimates so far are returned with their residuals. Equal operators and seeds give equal results. No rows: no
/// eigenvalues.
Eigenpairs TopEigenpairs(const HessianOperator& hessian, const EigenOptions& options);

/// How well traces are to be known, and at what effort.
struct TraceLimits {
  int min_probes = 16;      ///< ≥ 2; the stopping rule is applied after every so many
  int max_probes = 128;     ///< ≥ min_probes
  double tolerance = 0.05;  ///< stop when every standard error is below this share of its trace

  void Validate() const;  ///< throws Error
};

struct TraceOptions {
  int min_probes = TraceLimits{}.min_probes;   ///< see TraceLimits
  int max_probes = TraceLimits{}.max_probes;   ///< likewise
  double tolerance = TraceLimits{}.tolerance;  ///< likewise
  std::uint64_t seed = 0;
  ProgressCallback progress;

  void Validate() const;  ///< throws Error
};

struct TraceEstimate {
  double value = 0;
  double standard_error = 0;  ///< of the mean over the probes
  bool significant = false;   ///< value > 2 · standard_error, hence positive
  int probes = 0;
};

/// Hutchinson's estimate (1990) of the trace of each variable's own Hessian block, all of them from the same products:
/// with Rademacher v over all variables, E[v_lᵀ (Hv)_l] = trace(H_ll), since cross terms average to zero. One per entry
/// of `variables.layers`. The graph of a batch is built once for every `min_probes` probes. Throws Error as
/// HessianOperator does.
std::vector<TraceEstimate> Traces(const LossFunction& loss, const Variables& variables, const TraceOptions& options);

}  // namespace bitplan
