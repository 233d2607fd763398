#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "bitplan/data.h"
#include "bitplan/format.h"
#include "bitplan/loss.h"
#include "bitplan/network.h"
#include "bitplan/progress.h"
#include "bitplan/quantize.h"
#include "gauss_newton/loss_rows.h"

namespace bitplan::hessian {

/// A format for the tensors at some LayerInput sites, quantized together.
struct InputChoice {
  std::vector<int> sites;
  Format format;
};

struct InputFisherOptions {
  Criterion criterion;  ///< for all samples
  std::int64_t memory_bytes = std::int64_t{2} << 30;
  std::uint64_t seed = 0;
  ProgressCallback progress;
};

/// Measure::Fisher of quantizing layers' inputs, ½ mean_n Σ_c Σ_i ((J_nᵀ r_{n,c})_i)² (Q(x_n) − x_n)_i², with J_n the
/// Jacobian of sample n's output in what the layers read and r_{n,c} the rows of the loss's curvature in it. All
/// choices' from the same backward passes, one for every row, over chunks of samples within the memory limit.
class InputFisherPasses {
 public:
  /// `statistics`: of the data; null where no choice's format has a scale. Throws Error as GaussNewton::Compute does.
  InputFisherPasses(const Network& network, const Dataset& data, std::vector<InputChoice> choices,
                    const ActivationStatistics* statistics, const InputFisherOptions& options);

  /// Samples that pass together. Those that the loss is not curved at are in none: they add 0.
  const std::vector<std::vector<std::int64_t>>& chunks() const { return chunks_; }

  /// What the samples of a chunk add, [choices, samples].
  std::vector<double> Run(const std::vector<std::int64_t>& chunk) const;

 private:
  /// The quantizer of a choice at each of its sites that a sample reaches.
  using Ranges = std::map<int, ActivationRange>;

  Network network_;
  Dataset data_;
  std::vector<InputChoice> choices_;
  std::vector<int> sites_;      // of all choices
  std::vector<Ranges> ranges_;  // of each choice
  std::optional<LossCurvature> curvature_;
  std::vector<std::int64_t> axes_;  // of the samples; empty: they cannot be told apart
  std::vector<std::vector<std::int64_t>> chunks_;
};

}  // namespace bitplan::hessian
