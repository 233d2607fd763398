#pragma once

#include <cstdint>
#include <vector>

namespace bitplan::calibration {

/// Finds positions among ascending values in constant time on average, through a table of equal cells.
class AscendingIndex {
 public:
  explicit AscendingIndex(std::vector<double> values);

  const std::vector<double>& values() const { return values_; }

  /// How many values lie below `bound`.
  std::size_t LowerBound(double bound) const;

 private:
  std::size_t Cell(double value) const;

  std::vector<double> values_;
  std::vector<std::size_t> starts_;  // position of the first value of each cell, and the end
  double cells_per_unit_ = 0;
};

}  // namespace bitplan::calibration
