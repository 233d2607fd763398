#include "gauss_newton/gauss_newton_blocks.h"

#include <ATen/ATen.h>

#include "gauss_newton/gauss_newton_impl.h"

namespace bitplan {

std::size_t GaussNewton::Blocks::count() const { return impl_->store.parts().size(); }

const std::vector<std::int64_t>& GaussNewton::Blocks::samples(std::size_t block) const {
  return impl_->store.parts()[block].samples;
}

std::int64_t GaussNewton::Blocks::Pieces(std::size_t block, std::size_t layer) const {
  return impl_->store.PiecesOfRows(layer, impl_->store.parts()[block]);
}

void GaussNewton::Blocks::ForEachPiece(std::size_t block, const Use& use) const {
  const at::NoGradGuard no_gradient;
  const hessian::RowStore& store = impl_->store;
  store.ForPart(block, [&](const hessian::RowStore::Part& part, const std::vector<const hessian::LayerRows*>& rows) {
    for (std::size_t layer = 0; layer < rows.size(); ++layer)
      if (rows[layer])
        store.ForEachPiece(layer, part, *rows[layer],
                           [&](std::int64_t sample, std::int64_t piece, const at::Tensor& gradients) {
                             use(layer, sample, piece, gradients);
                           });
  });
}

}  // namespace bitplan
