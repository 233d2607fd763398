#include "shifts/prediction_counts.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <functional>
#include <numeric>

#include "loss/predictions.h"

namespace bitplan::hessian {

PredictionCounts::PredictionCounts(const Criterion& criterion, const at::Tensor& labels) : mean_(criterion.counted) {
  if (mean_ == 0) return;
  const at::Tensor of_samples = loss::CountedLabels(labels).reshape({labels.size(0), -1}).sum(1).contiguous();
  counts_.assign(of_samples.const_data_ptr<std::int64_t>(),
                 of_samples.const_data_ptr<std::int64_t>() + of_samples.numel());
}

std::int64_t PredictionCounts::Judged(std::int64_t samples) const {
  if (mean_ == 0) return samples;
  return std::count_if(counts_.begin(), counts_.begin() + samples, [](std::int64_t count) { return count > 0; });
}

std::int64_t PredictionCounts::Counted(std::int64_t begin, std::int64_t end, std::int64_t of_sample) const {
  if (mean_ == 0) return (end - begin) * of_sample;
  return std::accumulate(counts_.begin() + begin, counts_.begin() + end, std::int64_t{0});
}

double PredictionCounts::Factor(std::int64_t samples) const {
  if (mean_ == 0) return 1;
  const std::int64_t sum = std::accumulate(counts_.begin(), counts_.begin() + samples, std::int64_t{0});
  return mean_ * static_cast<double>(samples) / static_cast<double>(sum);
}

std::vector<std::int64_t> PredictionCounts::Of(std::int64_t samples) const {
  if (mean_ == 0) return {};
  const auto end = counts_.begin() + samples;
  const bool equal = std::adjacent_find(counts_.begin(), end, std::not_equal_to<>()) == end;
  return equal ? std::vector<std::int64_t>() : std::vector<std::int64_t>(counts_.begin(), end);
}

}  // namespace bitplan::hessian
