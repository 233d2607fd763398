#include "quantize/corrections/gptq.h"

#include <ATen/ATen.h>

#include "quantize/weight_grid.h"

namespace bitplan {

namespace {

/// Cholesky factor U of the inverse, H⁻¹ = UᵀU, of moments that are damped until they have one.
at::Tensor InverseFactor(const at::Tensor& moments) {
  constexpr double kDamping = 0.01;
  const at::Tensor identity = at::eye(moments.size(0), moments.options());
  // Values that are always 0 have no error to hand on.
  const at::Tensor mean = moments.diagonal().mean();
  const at::Tensor scale = at::where(mean > 0, mean, at::ones_like(mean));
  const at::Tensor lower = at::linalg_cholesky(moments + kDamping * scale * identity);
  return at::linalg_cholesky(at::cholesky_inverse(lower), /*upper=*/true);
}

/// A clipped weight hands on no more than so many scales. One that is clipped further is lost: what would make up for
/// it on the samples where it counts spoils all others (rows of transformers that make massive activations).
constexpr double kMostSteps = 16;

/// Some rows of a weight [out, d], all of one group of a convolution, their grids being `scales` … [out] or [out,
/// parts].
at::Tensor CodesOfRows(at::Tensor rows, const QuantizedTensor& grid, const at::Tensor& moments) {
  const at::Tensor order = moments.diagonal().argsort(/*dim=*/0, /*descending=*/true);
  const at::Tensor factor = InverseFactor(moments.index_select(0, order).index_select(1, order));
  const std::int64_t columns = rows.size(1);
  rows = rows.index_select(1, order);
  at::Tensor codes;
  const at::Tensor positions = order.cpu();
  for (std::int64_t j = 0; j < columns; ++j) {
    const at::Tensor column = rows.select(1, j).unsqueeze(1);
    const QuantizedTensor of_column = ColumnOf(grid, positions.const_data_ptr<std::int64_t>()[j]);
    const auto [q, inside] = CodesOf(column, of_column);
    if (!codes.defined()) codes = at::empty({rows.size(0), columns}, q.options());
    codes.select(1, positions.const_data_ptr<std::int64_t>()[j]).copy_(q.squeeze(1));
    const at::Tensor off = column - ValueOnGrid(q, of_column);
    const at::Tensor most = kMostSteps * AlongWeight(of_column.scale.to(off.dtype()), column.sizes(), of_column);
    const at::Tensor error = at::where(inside, off, at::clamp(off, -most, most)) / factor[j][j];
    rows.slice(1, j + 1).sub_(error * factor[j].slice(0, j + 1));
  }
  return codes;
}

}  // namespace

QuantizedTensor RoundByGptq(const at::Tensor& weight, const QuantizedTensor& grid, const at::Tensor& moments) {
  const at::NoGradGuard no_grad;
  const std::int64_t groups = moments.size(0), channels = weight.size(0) / groups;
  const at::Tensor rows = weight.to(at::kDouble).flatten(1);
  std::vector<at::Tensor> codes;
  for (std::int64_t g = 0; g < groups; ++g)
    codes.push_back(
        CodesOfRows(rows.narrow(0, g * channels, channels), RowsOf(grid, g * channels, channels), moments[g]));
  QuantizedTensor result = grid;
  result.q = at::cat(codes).view(weight.sizes());
  result.value = ValueOnGrid(result.q, grid);
  return result;
}

}  // namespace bitplan
