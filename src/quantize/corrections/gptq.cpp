#include "corrections/gptq.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <vector>

#include "quantize/weight_grid.h"
#include "tuning.h"

namespace bitplan::quantize {

namespace {

/// Rows and columns in the order `order`, in place but for a panel.
void Permute(at::Tensor& moments, const at::Tensor& order) {
  for (const std::int64_t axis : {0, 1})
    for (at::Tensor part : moments.split(tuning::kGptqPanel, 1 - axis)) part.copy_(part.index_select(axis, order));
}

/// The triangle L of LLᵀ = moments, which are damped until they have one, in their place.
at::Tensor Factor(const at::Tensor& moments) {
  // Values that are always 0 have no error to hand on.
  const at::Tensor mean = moments.diagonal().mean();
  moments.diagonal().add_(tuning::kGptqDamping * at::where(mean > 0, mean, at::ones_like(mean)));
  at::Tensor lower = moments.t();  // symmetric, and laid out as LAPACK wants it
  at::linalg_cholesky_out(lower, lower);
  return lower;
}

/// What of a column [rows, 1] is off its codes and handed on.
at::Tensor ErrorOf(const at::Tensor& column, const CodedWeight& coded, const QuantizedTensor& grid) {
  const at::Tensor off = column - ValueOnGrid(coded.q, grid);
  const at::Tensor most = tuning::kGptqMostSteps * AlongWeight(grid.scale.to(off.dtype()), column.sizes(), grid);
  return at::where(coded.inside, off, at::clamp(off, -most, most));
}

}  // namespace

/// With H = LLᵀ in the order of increasing moments, column j from the last on goes to the code nearest to
/// w_j + Σ_{k > j} e_k L_kj / L_jj, e_k = w_k − ŵ_k: that is what the updates through the inverse's factor add up to
/// (Chee et al. 2023, QuIP, theorem 6), and takes neither the inverse nor its factor.
at::Tensor CodesByGptq(const at::Tensor& rows, const RowGrid& grid, at::Tensor moments) {
  const at::NoGradGuard no_grad;
  const at::Tensor order = moments.diagonal().argsort(/*dim=*/0, /*descending=*/true).flip(0);
  Permute(moments, order);
  const at::Tensor factor = Factor(moments);
  const at::Tensor positions = order.cpu();
  const std::int64_t columns = rows.size(1);
  // The weights of columns still to come, the errors e of those that are done.
  const at::Tensor work = rows.to(at::kDouble).index_select(1, order);
  at::Tensor codes;
  for (std::int64_t end = columns; end > 0; end -= std::min(end, tuning::kGptqPanel)) {
    const std::int64_t begin = std::max<std::int64_t>(0, end - tuning::kGptqPanel);
    const at::Tensor panel = factor.narrow(1, begin, end - begin) / factor.diagonal().narrow(0, begin, end - begin);
    const at::Tensor handed_on = work.slice(1, end).matmul(panel.slice(0, end));
    for (std::int64_t j = end; j-- > begin;) {
      const std::int64_t position = positions.const_data_ptr<std::int64_t>()[j];
      const at::Tensor in_panel = panel.select(1, j - begin).slice(0, j + 1, end);
      const at::Tensor added = handed_on.select(1, j - begin) + work.slice(1, j + 1, end).mv(in_panel);
      const at::Tensor column = (work.select(1, j) + added).unsqueeze(1);
      const QuantizedTensor of_column = grid.Column(position);
      const CodedWeight coded = CodesOf(column, of_column);
      if (!codes.defined()) codes = at::empty({rows.size(0), columns}, coded.q.options());
      codes.select(1, position).copy_(coded.q.squeeze(1));
      work.select(1, j).copy_(ErrorOf(column, coded, of_column).squeeze(1) - added);
    }
  }
  return codes;
}

}  // namespace bitplan::quantize
