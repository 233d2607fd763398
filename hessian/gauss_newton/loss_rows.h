#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include "bitplan/loss.h"

namespace bitplan::hessian {

/// Rows r_{n,c} of some samples: Σ_c r rᵀ is the Hessian of sample n's loss in its output, or on average over draws.
struct LossRows {
  at::Tensor rows;                   ///< float32 [R, n, output…], zeros where a sample has fewer; drawn rows: all
  std::vector<std::int64_t> counts;  ///< of each sample, 0 … R
};

/// What the rows of all samples are made from.
class LossCurvature {
 public:
  /// `logits` [N, output…]: the float network's, of all samples. `wanted` and `cut` as GaussNewtonOptions::rows and
  /// cut.
  LossCurvature(Criterion criterion, const at::Tensor& logits, const at::Tensor& labels, int wanted, double cut,
                std::uint64_t seed);

  bool drawn() const { return drawn_; }
  double cut() const { return cut_; }                                  ///< share left out
  const std::vector<std::int64_t>& counts() const { return counts_; }  ///< rows of each sample

  /// The samples that have rows, those with the most first.
  std::vector<std::int64_t> MostRowsFirst() const;

  /// These in chunks of at most `largest` ≥ 1 samples, of the sizes that take the least work: a forward pass over each
  /// chunk, and a backward pass for each row of its first sample.
  std::vector<std::vector<std::int64_t>> Chunks(std::int64_t largest) const;

  LossRows Rows(const std::vector<std::int64_t>& samples) const;

  std::int64_t bytes() const;  ///< that this holds

 private:
  at::Tensor Drawn(std::int64_t sample) const;  // [K, P, C]
  at::Tensor DrawnOfSeveral(std::int64_t sample, std::mt19937_64& generator) const;

  /// All rows of some samples and their squared lengths, largest first.
  std::pair<at::Tensor, at::Tensor> All(const at::Tensor& samples) const;
  at::Tensor AllLengths() const;  // of all samples, squared
  std::vector<std::int64_t> OutputShape(std::int64_t samples) const;
  at::Tensor LabelsOf(const at::Tensor& samples) const;

  Criterion criterion_;
  at::Tensor logits_;                 // [N, P, C] float32, by prediction
  at::Tensor labels_;                 // of a loss that is a module's, for which P is 1
  at::Tensor shares_;                 // [N, P] of each prediction in its sample's loss
  std::vector<std::int64_t> output_;  // shape of one sample's output
  bool drawn_ = false;
  double cut_ = 0;
  std::uint64_t seed_;
  std::vector<std::int64_t> counts_;
  std::vector<LossCurvature> each_;  // of drawn rows of several outputs, one for each
};

}  // namespace bitplan::hessian
