#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "calibration/distribution.h"

namespace bitplan::calibration {

/// All that a Histogram knows.
struct HistogramState {
  double radius = 0;  ///< R: a power of two, or 0 where all values were zero
  double min = 0, max = 0;
  Extremes sum = {}, moving = {};  ///< over batches: Σ, and Σ (1 − d) dᵏ of the k-th from the last
  std::int64_t zeros = 0, batches = 0;
  std::vector<std::int64_t> bins,
      counts;  ///< of the bins that hold anything, ascending; zeros in the bin that starts at 0
};

/// Counts of a stream of values at fixed memory: equal bins over [−R, R), R a power of two that doubles, merging
/// neighbouring bins, when a value falls outside. Extremes and zeros are kept exactly, and the average extremes of the
/// batches.
class Histogram {
 public:
  static constexpr std::size_t kBins = 8192;
  static constexpr double kDecay =
      0.9;  ///< of the moving averages, which are corrected for having begun at 0 (as Adam's)

  /// A batch, or unless `first` more of the last one. Throws Error, and adds nothing, when a value is NaN or infinite.
  void Add(std::span<const float> values, bool first = true);

  /// The histogram that has this state. Throws Error, naming the field, where none can have it.
  static Histogram FromState(const HistogramState& state);
  HistogramState State() const;

  /// As if everything that was added to `other` had been added here.
  void Merge(const Histogram& other);

  std::int64_t count() const { return count_; }

  /// Bin centers and counts of the bins that hold anything, and exact zeros. Throws Error when no value was added.
  Distribution Values() const;

 private:
  void Cover(double radius);

  std::vector<std::int64_t> bins_ = std::vector<std::int64_t>(kBins);  // zeros among them, in the bin that starts at 0
  double radius_ = 0;                                                  // R; 0 until a value other than zero was seen
  double min_ = 0, max_ = 0;
  Extremes sum_, moving_;                        // over batches: Σ, and Σ (1 − d) dᵏ of the k-th from the last
  Extremes batch_, sum_before_, moving_before_;  // of the last batch, and the two without it
  std::int64_t count_ = 0, zeros_ = 0, batches_ = 0;
};

}  // namespace bitplan::calibration
