#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "quantize/calibration/distribution.h"

namespace bitplan {

/// Counts of a stream of values at fixed memory: equal bins over [−R, R), R a power of two that doubles, merging
/// neighbouring bins, when a value falls outside. Extremes and zeros are kept exactly.
class Histogram {
 public:
  static constexpr std::size_t kBins = 8192;

  /// Throws Error, and adds nothing, when a value is NaN or infinite.
  void Add(std::span<const float> values);

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
  std::int64_t count_ = 0, zeros_ = 0;
};

}  // namespace bitplan
