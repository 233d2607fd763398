#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "bitplan/curvature.h"
#include "bitplan/data.h"
#include "bitplan/loss.h"
#include "bitplan/network.h"
#include "bitplan/progress.h"
#include "bitplan/sensitivity.h"
#include "bitplan/statistics.h"

namespace bitplan {

/// What forward and backward passes compute in.
enum class Arithmetic {
  Float32,
  BFloat16,  ///< products of layers and matrices, added up in float32, and what passes between them; the output is
             ///< float32
};

std::string_view ToString(Arithmetic arithmetic);   ///< float32, bfloat16
Arithmetic ParseArithmetic(std::string_view text);  ///< throws Error listing the names

struct GaussNewtonOptions {
  std::vector<int> layers;  ///< indices in Network::layers(), each once; empty: all
  Loss loss = Loss::Auto;
  double temperature = 1;  ///< of Loss::Divergence, > 0
  /// Rows of the loss's curvature in the outputs that are taken of each sample, each a backward pass. 0: all of them
  /// where there are at most 64, else 32. Where there are more than are taken, they are drawn at random, but for the
  /// likeliest classes, which three quarters of the rows are of where a sample has one prediction. That is unbiased;
  /// its noise is part of the standard errors.
  int rows = 0;
  /// Rows drawn or not: share, in [0, 1), of the data's summed curvature in the outputs that may be left out, smallest
  /// first. What a sample that the network is sure of adds is mostly less than that.
  double cut = 1e-4;
  Arithmetic compute = Arithmetic::Float32;  ///< of the passes; bfloat16 is faster on processors that have it
  /// The most that all of this may take on top of the network and the data, > 0. Rows of layers that do not fit are
  /// made again for each use: then ask for what you need of one layer after the other, in their order.
  std::int64_t memory_bytes = std::int64_t{2} << 30;
  std::uint64_t seed = 0;
  ProgressCallback progress;

  void Validate() const;  ///< throws Error
};

class GaussNewtonOperator;

/// Generalized Gauss-Newton matrix of a loss in the weights of some layers,
///
///     G = mean_n Σ_c (J_nᵀ r_{n,c}) (J_nᵀ r_{n,c})ᵀ,     Σ_c r_{n,c} r_{n,c}ᵀ = ∂²ℓ_n / ∂z²,
///
/// with J_n the Jacobian of sample n's output z_n (Schraudolph 2002; Martens 2020). All layers' rows Jᵀr come from the
/// same backward passes, one for every c. It is positive semidefinite. Where the network is piecewise linear in each
/// layer (ReLU, max pooling) a layer's block equals its block of the Hessian; otherwise (softmax attention, GELU, LSTM)
/// the Hessian has a second term, and HessianOperator is the way to it.
///
/// Of each layer the rows are kept in the smaller of two forms: the weight's gradients, or the layer's inputs and the
/// gradients at its outputs. A value; copies share everything.
class GaussNewton {
 public:
  /// Throws Error: a layer index outside the network or listed twice, a loss that does not fit the output or lacks
  /// labels, an output that is not finite, an operator without a derivative, a memory limit below what one sample takes
  /// (named).
  static GaussNewton Compute(const Network& network, const Dataset& data, const GaussNewtonOptions& options);

  const std::vector<int>& layers() const;  ///< as asked for
  std::int64_t samples() const;
  std::int64_t elements(std::size_t i) const;  ///< of the weight of layers()[i]
  std::int64_t rows() const;                   ///< of all samples together
  bool rows_drawn() const;                     ///< whether they were drawn at random
  double cut() const;  ///< share of the curvature in the outputs that was left out; 0 of drawn rows

  /// How much a layer's rows differ by the arithmetic of the passes: one row each of up to 16 samples, those with the
  /// most rows. 0 in float32.
  ArithmeticDifference FromFloat32(std::size_t i) const;

  /// Trace of a layer's block, exact for the rows that were taken. Its standard error is that of the mean over the
  /// samples, and where passes are in bfloat16 the difference that they make.
  TraceEstimate Trace(std::size_t i) const;

  /// Of a layer's block, in the shape of its weight, float64.
  at::Tensor Diagonal(std::size_t i) const;

  /// Σ_i G_ii f_i of a layer's block for each of some factors f, [K, weight…], with the standard errors over the
  /// samples.
  std::vector<Estimate> DiagonalForms(std::size_t i, const at::Tensor& factors) const;

  /// ‖G‖_F of a layer's block: from the rows' inner products, or from the matrix itself where that is smaller.
  double FrobeniusNorm(std::size_t i) const;

  class Blocks;  ///< its samples, as an analysis takes them in parts; the library's own

 private:
  friend class GaussNewtonOperator;
  friend Eigenpairs TopEigenpairs(const GaussNewtonOperator& matrix, const EigenOptions& options);
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

/// v ↦ G v over some of the layers of a Gauss-Newton matrix, cross terms included. Has what Spectra asks of an
/// operator. Vectors are the weights' elements in row-major order, one layer after the other. Computed in float32.
/// Copies share the matrix's rows, and may be used by several threads at once; the memory limit is then one thread's.
class GaussNewtonOperator {
 public:
  using Scalar = double;

  /// `layers`: positions in GaussNewton::layers(), each once. Throws Error where they are not.
  GaussNewtonOperator(GaussNewton matrix, std::vector<std::size_t> layers);

  std::ptrdiff_t rows() const;
  std::ptrdiff_t cols() const { return rows(); }
  void perform_op(const double* x, double* y) const;  ///< y = G x; both of length rows()

 private:
  friend Eigenpairs TopEigenpairs(const GaussNewtonOperator& matrix, const EigenOptions& options);
  GaussNewton matrix_;
  std::vector<std::size_t> layers_;
};

/// The largest eigenvalues, judged by products with the matrix itself. Of fewer rows than weights from the matrix of
/// the rows' inner products, which has the same eigenvalues: formed where that is less work, else by products;
/// otherwise as for HessianOperator.
Eigenpairs TopEigenpairs(const GaussNewtonOperator& matrix, const EigenOptions& options);

}  // namespace bitplan
