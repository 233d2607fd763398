#pragma once

#include "bitplan/quantize.h"

namespace bitplan::quantize {

/// The grid of some rows of a weight whose channels lie along axis 0, [rows, values of a channel], from some column on.
class RowGrid {
 public:
  /// `grid`: of the whole weight, whatever axis its channels lie along.
  RowGrid(const QuantizedTensor& grid, std::int64_t first_row, std::int64_t rows, std::int64_t first_column);

  const Format& format() const { return grid_.format; }

  /// The grid of column `j`, [rows, 1].
  QuantizedTensor Column(std::int64_t j) const;

  /// Scales or zero points, in a shape that broadcasts over [rows, columns].
  at::Tensor Scales(std::int64_t columns) const { return Along(grid_.scale, columns); }
  at::Tensor ZeroPoints(std::int64_t columns) const { return Along(grid_.zero_point, columns); }

 private:
  at::Tensor Along(const at::Tensor& numbers, std::int64_t columns) const;

  QuantizedTensor grid_;
  std::int64_t first_column_;
};

}  // namespace bitplan::quantize
