#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "bitplan/data.h"
#include "bitplan/network.h"
#include "bitplan/progress.h"
#include "gauss_newton/gradient_pass.h"
#include "gauss_newton/layer_rows.h"
#include "gauss_newton/loss_rows.h"

namespace bitplan::hessian {

/// Rows Jᵀr of layers for all samples, made part by part within a memory limit: those of as many layers as fit are
/// kept, and the others made when they are asked for, in the place of those. So layers are best asked for in their
/// order.
class RowStore {
 public:
  /// Rows first_row … first_row + rows − 1 of some samples.
  struct Part {
    std::vector<std::int64_t> samples;
    std::int64_t first_row = 0, rows = 0;
  };

  /// Throws Error when `memory_bytes` is too little for one row of one sample.
  RowStore(Network network, Dataset data, std::vector<int> layers, LossCurvature curvature, GradientPass pass,
           std::int64_t memory_bytes, ProgressCallback progress);

  /// Calls `use` for every part with the rows of each of the layers (positions in `layers`), null where no gradient
  /// reaches one.
  using Use = std::function<void(const Part& part, const std::vector<const LayerRows*>& rows)>;
  void ForEachPart(const std::vector<std::size_t>& wanted, const Use& use) const;

  /// The same for one part and all layers, of rows that are not kept for that.
  void ForPart(std::size_t part, const Use& use) const;

  /// A row of one layer after the other as the gradient itself: [n, R, weight…] for rows of n samples, in pieces that
  /// fit.
  void ForEachGradient(std::size_t layer,
                       const std::function<void(const Part& part, const at::Tensor& gradients)>& use) const;

  /// Of one part's rows of a layer. `sample`: of the piece's first one, in the part; `rows`: number of the piece among
  /// those of its samples, below PiecesOfRows.
  using UsePiece = std::function<void(std::int64_t sample, std::int64_t rows, const at::Tensor& gradients)>;
  void ForEachPiece(std::size_t layer, const Part& part, const LayerRows& rows, const UsePiece& use) const;
  std::int64_t PiecesOfRows(std::size_t layer, const Part& part) const;

  /// A few rows of all layers by `pass`, which is the store's own or the same in another arithmetic.
  std::vector<std::optional<LayerRows>> FewRows(const GradientPass& pass) const;

  /// Multiplications that a layer takes, for all rows.
  struct Cost {
    bool kept = false;     ///< whether its rows fit
    double products = 0;   ///< of x ∗ v; 0 where the gradients themselves are kept
    double gradients = 0;  ///< of making them from their factors; likewise
  };
  Cost CostOf(std::size_t layer) const;

  const std::vector<Part>& parts() const { return parts_; }
  const GradientPass& pass() const { return pass_; }
  const LossCurvature& curvature() const { return curvature_; }
  at::Tensor Weight(std::size_t i) const {
    return network_.Weight(network_.layers()[static_cast<std::size_t>(layers_[i])]);
  }
  std::int64_t work_bytes() const { return work_bytes_; }  ///< what is left for whoever uses the rows

 private:
  using Rows = std::vector<std::optional<LayerRows>>;  // of each wanted layer
  struct Kept {
    std::vector<std::size_t> layers;  // ascending
    std::vector<Rows> parts;
  };

  std::vector<std::size_t> AllLayers() const;
  std::int64_t RowsAtOnce(std::size_t layer) const;
  Rows Make(const GradientPass& pass, const Part& part, const std::vector<std::size_t>& wanted) const;
  void AddGradientsOfOne(const GradientPass& pass, const Part& part, const at::Tensor& rows,
                         const std::vector<std::size_t>& wanted, Rows& result) const;

  void FormParts(std::int64_t memory_bytes);
  std::vector<std::size_t> LayersThatFit(const std::vector<std::size_t>& wanted) const;
  std::shared_ptr<const Kept> Keep(const std::vector<std::size_t>& wanted) const;

  Network network_;
  Dataset data_;
  std::vector<int> layers_;
  LossCurvature curvature_;
  GradientPass pass_;
  ProgressCallback progress_;
  std::vector<Part> parts_;               // samples without rows are in none
  std::vector<char> as_gradients_;        // of each layer: which of the two forms is the smaller one
  std::vector<std::int64_t> kept_bytes_;  // of each layer, for all samples
  std::vector<Cost> costs_;               // of each layer
  std::int64_t work_bytes_ = 0, room_for_kept_ = 0;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const Kept> kept_;
};

}  // namespace bitplan::hessian
