#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "bitplan/gauss_newton.h"
#include "gauss_newton/row_store.h"

namespace bitplan {

/// The rows of a Gauss-Newton matrix in blocks that pass through the network together: some rows of some samples. A
/// block's rows are made when they are asked for, so that whoever wants some blocks pays for no others.
class GaussNewton::Blocks {
 public:
  /// As Compute, but no rows are made.
  static GaussNewton Prepare(const Network& network, const Dataset& data, const GaussNewtonOptions& options);

  explicit Blocks(const GaussNewton& matrix) : impl_(matrix.impl_) {}

  std::size_t count() const;
  const std::vector<std::int64_t>& samples(std::size_t block) const;

  /// Pieces that a layer's rows of each sample of a block are taken in, in their order, each added up for itself.
  std::int64_t Pieces(std::size_t block, std::size_t layer) const;

  /// Calls `use` for all gradients of the block's rows, [n, R, weight…]: `sample` is the first one's position in
  /// samples(block), `piece` is below Pieces. Not for layers that no gradient reaches.
  using Use =
      std::function<void(std::size_t layer, std::int64_t sample, std::int64_t piece, const at::Tensor& gradients)>;
  void ForEachPiece(std::size_t block, const Use& use) const;

 private:
  std::shared_ptr<const Impl> impl_;
};

}  // namespace bitplan
