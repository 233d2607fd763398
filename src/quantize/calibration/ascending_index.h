#pragma once

#include <cstdint>
#include <vector>

#include "bitplan/format.h"
#include "quantize/calibration/range.h"

namespace bitplan {

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

/// Calls visit(level, from, to) for each integer level = q − zero_point of the grid, ascending, where values [from, to)
/// are those that round to it; values outside the grid count to its ends.
template <typename Visit>
void ForEachLevel(const AscendingIndex& index, const QuantizationRange& range, const Format& format,
                  const Visit& visit) {
  const std::int64_t lowest = format.QuantMin() - range.zero_point, highest = format.QuantMax() - range.zero_point;
  std::size_t from = 0;
  for (std::int64_t level = lowest; level < highest; ++level) {
    const std::size_t to = index.LowerBound(range.scale * (static_cast<double>(level) + 0.5));
    visit(static_cast<double>(level), from, to);
    from = to;
  }
  visit(static_cast<double>(highest), from, index.values().size());
}

}  // namespace bitplan
