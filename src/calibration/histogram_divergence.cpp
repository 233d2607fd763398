#include "histogram_divergence.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "tuning.h"

namespace bitplan::calibration {

namespace {

/// Single weights have no density; equal bins give them one.
Distribution Binned(const Distribution& distribution) {
  const double width = (distribution.max - distribution.min) / static_cast<double>(tuning::kDivergenceBins);
  if (distribution.binned || width == 0) return distribution;
  std::vector<double> counts(tuning::kDivergenceBins);
  for (std::size_t i = 0; i < distribution.values.size(); ++i) {
    const auto bin = static_cast<std::size_t>((distribution.values[i] - distribution.min) / width);
    counts[std::min(bin, tuning::kDivergenceBins - 1)] += distribution.counts[i];
  }
  Distribution binned{.min = distribution.min, .max = distribution.max, .binned = true};
  for (std::size_t bin = 0; bin < tuning::kDivergenceBins; ++bin) {
    if (counts[bin] == 0) continue;
    binned.values.push_back(distribution.min + (static_cast<double>(bin) + 0.5) * width);
    binned.counts.push_back(counts[bin]);
  }
  return binned;
}

Distribution WithoutZeros(Distribution distribution) {
  const auto zero = std::lower_bound(distribution.values.begin(), distribution.values.end(), 0.0);
  if (zero == distribution.values.end() || *zero != 0) return distribution;
  const auto past = std::upper_bound(zero, distribution.values.end(), 0.0);
  const auto count = distribution.counts.begin() + (zero - distribution.values.begin());
  distribution.counts.erase(count, count + (past - zero));
  distribution.values.erase(zero, past);
  return distribution;
}

double PLogP(double p) { return p > 0 ? p * std::log(p) : 0; }

}  // namespace

HistogramDivergence::HistogramDivergence(const Distribution& distribution) : index_({}), mass_(1), entropy_(1) {
  Distribution bins = Binned(WithoutZeros(distribution));
  const double total = std::accumulate(bins.counts.begin(), bins.counts.end(), 0.0);
  for (const double count : bins.counts) {
    mass_.push_back(mass_.back() + count / total);
    entropy_.push_back(entropy_.back() + PLogP(count / total));
  }
  index_ = AscendingIndex(std::move(bins.values));
}

double HistogramDivergence::operator()(const QuantizationRange& range, const Levels& levels, double) const {
  const std::size_t first = index_.LowerBound(range.scale * (levels.Lowest(range) - 0.5));
  const std::size_t last = index_.LowerBound(range.scale * (levels.Highest(range) + 0.5));
  if (last < first + levels.size()) return std::numeric_limits<double>::infinity();

  const double below = mass_[first], above = mass_.back() - mass_[last], inside = mass_[last] - mass_[first];
  const double first_bin = mass_[first + 1] - mass_[first], last_bin = mass_[last] - mass_[last - 1];
  // Σ P log P; the end bins hold what was clipped as well.
  double divergence = entropy_[last] - entropy_[first] - PLogP(first_bin) + PLogP(first_bin + below) - PLogP(last_bin) +
                      PLogP(last_bin + above);
  // − Σ P log Q; Q is the same in all bins of a level.
  levels.ForEach(index_, range, [&](double, std::size_t from, std::size_t to) {
    from = std::max(from, first);
    to = std::min(to, last);
    if (from >= to) return;
    const double mass = mass_[to] - mass_[from];
    const double before = mass + (from == first ? below : 0) + (to == last ? above : 0);
    divergence -= before * std::log(mass / static_cast<double>(to - from) / inside);
  });
  return divergence;
}

}  // namespace bitplan::calibration
