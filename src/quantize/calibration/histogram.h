#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "quantize/calibration/distribution.h"

namespace bitplan {

/// Counts of a stream of values at fixed memory: equal bins over [−R, R], where R doubles and neighbouring bins merge when a
/// value falls outside. The extremes are kept exactly.
class Histogram {
 public:
  static constexpr std::size_t kBins = 8192;

  /// Throws Error when a value is NaN or infinite.
  void Add(std::span<const float> values);

  std::int64_t count() const { return count_; }

  /// Bin centers and counts of the bins that hold anything. Throws Error when there are none.
  Distribution Values() const;

 private:
  void Cover(double magnitude);

  std::vector<std::int64_t> bins_ = std::vector<std::int64_t>(kBins);
  double radius_ = 0;  // R; 0 until a value other than zero was seen
  double min_ = 0, max_ = 0;
  std::int64_t count_ = 0;
};

}  // namespace bitplan
