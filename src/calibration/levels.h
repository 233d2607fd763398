#pragma once

#include <cmath>
#include <cstddef>
#include <optional>

#include "ascending_index.h"
#include "bitplan/format.h"
#include "calibration/codebook.h"
#include "calibration/range.h"

namespace bitplan::calibration {

/// What the codes of a format with scales stand for at scale 1: whole numbers from a zero point, or a codebook's
/// levels.
class Levels {
 public:
  Levels(const Format& format)  // NOLINT(google-explicit-constructor): a format says it all
      : lowest_(format.IsInteger() ? format.QuantMin() : 0), highest_(format.IsInteger() ? format.QuantMax() : 0) {
    if (!format.IsInteger()) book_ = CodebookOf(format.type, format.bits);
  }

  double Lowest(const QuantizationRange& range) const {
    return book_ ? book_->levels.front() : static_cast<double>(lowest_ - range.zero_point);
  }
  double Highest(const QuantizationRange& range) const {
    return book_ ? book_->levels.back() : static_cast<double>(highest_ - range.zero_point);
  }

  std::size_t size() const { return book_ ? book_->levels.size() : static_cast<std::size_t>(highest_ - lowest_ + 1); }

  /// Calls visit(level, from, to) for levels, ascending, where values [from, to) are those that round to it; values
  /// outside count to the ends. Levels without values may be left out.
  template <typename Visit>
  void ForEach(const AscendingIndex& index, const QuantizationRange& range, const Visit& visit) const {
    if (book_) return ForEachOfBook(index, range, visit);
    const double first = Lowest(range), last = Highest(range);
    if (size() > index.values().size()) return ForEachValue(index, range, first, last, visit);
    std::size_t from = 0;
    for (double level = first; level < last; ++level) {
      const std::size_t to = index.LowerBound(range.scale * (level + 0.5));
      visit(level, from, to);
      from = to;
    }
    visit(last, from, index.values().size());
  }

 private:
  template <typename Visit>
  void ForEachOfBook(const AscendingIndex& index, const QuantizationRange& range, const Visit& visit) const {
    std::size_t from = 0;
    for (std::size_t i = 0; i + 1 < book_->levels.size(); ++i) {
      const std::size_t to = index.LowerBound(range.scale * book_->Midpoint(i));
      visit(book_->levels[i], from, to);
      from = to;
    }
    visit(book_->levels.back(), from, index.values().size());
  }

  /// Where there are fewer values than levels.
  template <typename Visit>
  static void ForEachValue(const AscendingIndex& index, const QuantizationRange& range, double first, double last,
                           const Visit& visit) {
    const auto level_of = [&](double value) {
      return std::fmin(std::fmax(std::floor(value / range.scale + 0.5), first), last);
    };
    const std::vector<double>& values = index.values();
    for (std::size_t from = 0, to = 0; from < values.size(); from = to) {
      const double level = level_of(values[from]);
      while (to < values.size() && level_of(values[to]) == level) ++to;
      visit(level, from, to);
    }
  }

  std::int64_t lowest_, highest_;  // of integers, before the zero point is taken off
  std::optional<Codebook> book_;
};

}  // namespace bitplan::calibration
