#include "squared_error.h"

#include <algorithm>

namespace bitplan::calibration {

SquaredError::SquaredError(const Distribution& distribution)
    : index_(distribution.values),
      count_(distribution.values.size() + 1),
      sum_(distribution.values.size() + 1),
      square_(distribution.values.size() + 1) {
  for (std::size_t i = 0; i < distribution.values.size(); ++i) {
    const double value = distribution.values[i], count = distribution.counts[i];
    count_[i + 1] = count_[i] + count;
    sum_[i + 1] = sum_[i] + count * value;
    square_[i + 1] = square_[i] + count * value * value;
  }
}

double SquaredError::ErrorAt(double value, std::size_t from, std::size_t to) const {
  // Σ (x − v)² = Σ x² − 2 v Σ x + v² Σ 1
  return square_[to] - square_[from] + value * (value * (count_[to] - count_[from]) - 2 * (sum_[to] - sum_[from]));
}

double SquaredError::operator()(const QuantizationRange& range, const Levels& levels, double limit) const {
  const double total = count_.back();
  const double lowest = range.scale * levels.Lowest(range);
  const double highest = range.scale * levels.Highest(range);
  const double clipped = (ErrorAt(lowest, 0, index_.LowerBound(lowest)) +
                          ErrorAt(highest, index_.LowerBound(highest), index_.values().size())) /
                         total;
  if (clipped >= limit) return clipped;
  double error = 0;
  levels.ForEach(index_, range, [&](double level, std::size_t from, std::size_t to) {
    if (from < to) error += ErrorAt(range.scale * level, from, to);
  });
  return std::max(error, 0.0) / total;
}

double SquaredError::BestScale(const QuantizationRange& range, const Levels& levels) const {
  double products = 0, squares = 0;
  levels.ForEach(index_, range, [&](double level, std::size_t from, std::size_t to) {
    products += level * (sum_[to] - sum_[from]);
    squares += level * level * (count_[to] - count_[from]);
  });
  return squares > 0 && products > 0 ? products / squares : range.scale;
}

}  // namespace bitplan::calibration
