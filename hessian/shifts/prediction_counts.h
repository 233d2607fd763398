#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "bitplan/loss.h"

namespace bitplan::hessian {

/// How many predictions of each sample count, where labels are ignored. A criterion divides every sample's loss by how
/// many they are on average over all of its data; figures of its first samples alone are means over theirs.
class PredictionCounts {
 public:
  /// `labels`: of all samples of the data that the criterion was settled for; not read where all predictions count.
  PredictionCounts(const Criterion& criterion, const at::Tensor& labels);

  /// Of the first samples those with a prediction that counts.
  std::int64_t Judged(std::int64_t samples) const;

  /// Predictions that count of samples begin … end − 1; `of_sample` of each where all do.
  std::int64_t Counted(std::int64_t begin, std::int64_t end, std::int64_t of_sample) const;

  /// What losses of the first samples, one of which is judged, are multiplied by, so that their mean is that over the
  /// predictions of these.
  double Factor(std::int64_t samples) const;

  /// As Contributions::predictions has them.
  std::vector<std::int64_t> Of(std::int64_t samples) const;

 private:
  double mean_ = 0;                   // over all samples; 0: all predictions count
  std::vector<std::int64_t> counts_;  // of each sample; empty where all predictions count
};

}  // namespace bitplan::hessian
