#include "quantize/calibration/range_error.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace bitplan {

SquaredError::SquaredError(const Distribution& distribution) : values_(distribution.values) {
  const std::size_t size = values_.size();
  count_.resize(size + 1);
  sum_.resize(size + 1);
  square_.resize(size + 1);
  for (std::size_t i = 0; i < size; ++i) {
    const double value = values_[i], count = distribution.counts[i];
    count_[i + 1] = count_[i] + count;
    sum_[i + 1] = sum_[i] + count * value;
    square_[i + 1] = square_[i] + count * value * value;
  }
}

double SquaredError::operator()(const QuantizationRange& range, const Format& format) const {
  double error = 0;
  std::size_t from = 0;
  for (std::int64_t q = format.QuantMin(); q <= format.QuantMax() && from < values_.size(); ++q) {
    const double level = range.scale * static_cast<double>(q - range.zero_point);
    const double edge = q == format.QuantMax() ? std::numeric_limits<double>::infinity() : level + range.scale / 2;
    const auto next = std::lower_bound(values_.begin() + static_cast<std::ptrdiff_t>(from), values_.end(), edge);
    const auto to = static_cast<std::size_t>(next - values_.begin());
    // Σ (x − level)² over the values that round to this level.
    error += (square_[to] - square_[from]) - 2 * level * (sum_[to] - sum_[from]) + level * level * (count_[to] - count_[from]);
    from = to;
  }
  return std::max(error, 0.0) / count_.back();
}

Divergence::Divergence(const Distribution& distribution) {
  // The values themselves may be single weights; bins give them a density.
  constexpr std::size_t kBins = 2048;
  const double low = distribution.min, width = (distribution.max - distribution.min) / kBins;
  std::vector<double> bins(kBins);
  for (std::size_t i = 0; i < distribution.values.size(); ++i) {
    const double position = width > 0 ? (distribution.values[i] - low) / width : 0;
    bins[std::min(static_cast<std::size_t>(std::max(position, 0.0)), kBins - 1)] += distribution.counts[i];
  }
  const double total = std::accumulate(bins.begin(), bins.end(), 0.0);
  for (std::size_t bin = 0; bin < kBins; ++bin) {
    if (bins[bin] == 0) continue;
    values_.push_back(low + (static_cast<double>(bin) + 0.5) * width);
    mass_.push_back(bins[bin] / total);
  }
}

double Divergence::operator()(const QuantizationRange& range, const Format& format) const {
  const double lowest = range.scale * (static_cast<double>(format.QuantMin() - range.zero_point) - 0.5);
  const double highest = range.scale * (static_cast<double>(format.QuantMax() - range.zero_point) + 0.5);
  const auto first = static_cast<std::size_t>(std::lower_bound(values_.begin(), values_.end(), lowest) - values_.begin());
  const auto last = static_cast<std::size_t>(std::upper_bound(values_.begin(), values_.end(), highest) - values_.begin());
  if (first >= last) return std::numeric_limits<double>::infinity();

  std::vector<double> before(mass_.begin() + static_cast<std::ptrdiff_t>(first), mass_.begin() + static_cast<std::ptrdiff_t>(last));
  const double inside = std::accumulate(before.begin(), before.end(), 0.0);
  std::vector<double> after(before.size());
  for (std::size_t begin = 0; begin < before.size();) {
    const auto level = [&](std::size_t bin) { return std::nearbyint(values_[first + bin] / range.scale); };
    std::size_t end = begin;
    double mass = 0;
    for (; end < before.size() && level(end) == level(begin); ++end) mass += before[end];
    std::fill(after.begin() + static_cast<std::ptrdiff_t>(begin), after.begin() + static_cast<std::ptrdiff_t>(end),
              mass / static_cast<double>(end - begin) / inside);
    begin = end;
  }
  before.front() += std::accumulate(mass_.begin(), mass_.begin() + static_cast<std::ptrdiff_t>(first), 0.0);
  before.back() += std::accumulate(mass_.begin() + static_cast<std::ptrdiff_t>(last), mass_.end(), 0.0);

  double divergence = 0;
  for (std::size_t bin = 0; bin < before.size(); ++bin) divergence += before[bin] * std::log(before[bin] / after[bin]);
  return divergence;
}

}  // namespace bitplan
