#include "corrections/row_grid.h"

#include <ATen/ATen.h>

#include "quantize/weight_grid.h"

namespace bitplan::quantize {

RowGrid::RowGrid(const QuantizedTensor& grid, std::int64_t first_row, std::int64_t rows, std::int64_t first_column)
    : grid_(RowsOf(grid, first_row, rows)), first_column_(first_column) {
  grid_.channel_axis = 0;
}

QuantizedTensor RowGrid::Column(std::int64_t j) const { return ColumnOf(grid_, first_column_ + j); }

at::Tensor RowGrid::Along(const at::Tensor& numbers, std::int64_t columns) const {
  if (numbers.dim() < 2) return numbers.unsqueeze(-1);
  const std::int64_t size = grid_.format.group_size, first = first_column_ / size;
  const std::int64_t parts = (first_column_ + columns - 1) / size - first + 1;
  return numbers.narrow(1, first, parts).repeat_interleave(size, 1).narrow(1, first_column_ - first * size, columns);
}

}  // namespace bitplan::quantize
