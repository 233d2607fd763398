#include "ascending_index.h"

#include <algorithm>
#include <utility>

namespace bitplan::calibration {

AscendingIndex::AscendingIndex(std::vector<double> values) : values_(std::move(values)) {
  if (values_.empty()) return;
  const double span = values_.back() - values_.front();
  if (span > 0) cells_per_unit_ = static_cast<double>(values_.size()) / span;
  starts_.assign(values_.size() + 1, values_.size());
  for (std::size_t i = values_.size(); i-- > 0;) starts_[Cell(values_[i])] = i;
  // An empty cell starts where the next one does.
  for (std::size_t cell = starts_.size() - 1; cell-- > 0;) starts_[cell] = std::min(starts_[cell], starts_[cell + 1]);
}

std::size_t AscendingIndex::Cell(double value) const {
  return std::min(static_cast<std::size_t>((value - values_.front()) * cells_per_unit_), values_.size() - 1);
}

std::size_t AscendingIndex::LowerBound(double bound) const {
  if (values_.empty() || bound <= values_.front()) return 0;
  if (bound > values_.back()) return values_.size();
  const std::size_t cell = Cell(bound);
  const auto at = [&](std::size_t position) { return values_.begin() + static_cast<std::ptrdiff_t>(position); };
  return static_cast<std::size_t>(std::lower_bound(at(starts_[cell]), at(starts_[cell + 1]), bound) - values_.begin());
}

}  // namespace bitplan::calibration
