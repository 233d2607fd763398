#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "network/layer_product.h"

namespace bitplan::hessian {

/// One run of one use of a layer over some samples: what it read, and the gradients of R scalars a sample at its
/// output.
struct UseRun {
  const network::LayerProduct* product = nullptr;
  std::size_t use = 0;   ///< position in Layer::uses
  at::Tensor x;          ///< as the operator reads it
  at::Tensor gradients;  ///< [n, R, …]: the output's axes in their order, that of the samples taken out
  std::int64_t x_axis = 0,
               y_axis = 0;  ///< where the samples are in x and in the output; −1: x is all of the only sample
};

/// Rows Jᵀr of one layer for some samples: a matrix A of n · R rows and as many columns as the weight has elements, in
/// one of two forms. A sample's rows may be zero. Factors may be bfloat16; all that is computed of them is float32.
class LayerRows {
 public:
  /// As A itself, [n, R, weight…] float32.
  static LayerRows FromGradients(at::Tensor gradients);

  /// As the factors of A: the sum over several runs of the layer in one pass, at least one.
  static LayerRows FromRuns(std::vector<UseRun> runs, at::Tensor weight);

  /// `rows` of the rows of each of `samples` samples. Shares the memory.
  LayerRows Part(std::int64_t first_sample, std::int64_t samples, std::int64_t first_row, std::int64_t rows) const;

  /// A v, [n, R], for v in the shape of the weight.
  at::Tensor Times(const at::Tensor& v) const;

  /// Aᵀ u in the shape of the weight, for u [n, R].
  at::Tensor TransposedTimes(const at::Tensor& u) const;

  /// Aᵀ A v. Less work than the two, one after the other.
  at::Tensor Squared(const at::Tensor& v) const;

  /// A, [n, R, weight…].
  at::Tensor Gradients() const;

  std::int64_t samples() const { return Either().size(0); }
  std::int64_t rows() const { return Either().size(1); }  ///< of each sample
  bool factored() const { return !gradients_.defined(); }
  std::int64_t bytes_of_inputs() const;     ///< of the factors that do not depend on the number of rows
  std::int64_t bytes_of_gradients() const;  ///< of the others, or of A
  double multiplications() const;           ///< of x ∗ v for all samples; 0 where A itself is kept

 private:
  const at::Tensor& Either() const { return gradients_.defined() ? gradients_ : runs_.front().gradients; }

  at::Tensor gradients_;      // defined in the first form
  std::vector<UseRun> runs_;  // not empty in the second
  at::Tensor weight_;         // its shape
};

}  // namespace bitplan::hessian
