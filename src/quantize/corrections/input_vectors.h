#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "network/layer_product.h"

namespace bitplan::quantize {

/// Some of the values of the vectors of a group.
struct InputBlock {
  std::int64_t group = 0, first = 0, count = 0;
};

/// A product seen as rows times vectors: an output channel of group g is, at each position, the product of a row of the
/// weight [groups, rows, length] with a vector of `length` values of the input, the same for all rows of the group.
/// Linear layers and matrix products have a group for each product that is apart; a transposed convolution's rows are
/// the channels of one group.
class InputVectors {
 public:
  /// Nothing for products of other kinds, or whose operands are only known in a run. `channel_axis`: of the weight.
  static std::optional<InputVectors> Of(const network::LayerProduct& product, at::IntArrayRef weight_shape,
                                        int channel_axis);

  std::int64_t groups() const { return groups_; }
  std::int64_t rows() const { return rows_; }
  std::int64_t length() const { return length_; }
  std::int64_t together() const { return together_; }  ///< so many values in a row are of one channel: a kernel's

  at::Tensor RowsOf(const at::Tensor& weight) const;   ///< [groups, rows, length]
  at::Tensor WeightOf(const at::Tensor& rows) const;   ///< the inverse
  std::int64_t FirstRow(std::int64_t group) const;     ///< of the group among the weight's channels
  std::int64_t FirstColumn(std::int64_t group) const;  ///< among the values of a channel, in order of the other axes

  /// Second moments, float64 [count, count], of a block of the vectors of an input: their mean over samples and
  /// positions, 0 where there are none. Beside them no more than about `chunk_bytes` are taken.
  at::Tensor Moments(const at::Tensor& x, const InputBlock& block, std::int64_t chunk_bytes) const;

 private:
  using Visit = std::function<void(const at::Tensor& vectors)>;  // [positions, count]

  InputVectors() = default;
  bool SetContraction(const network::Contraction& contraction);
  bool SetWindows(const network::Windows& windows);
  void ForEachChunk(const at::Tensor& x, const InputBlock& block, std::int64_t most_values, const Visit& visit) const;
  at::Tensor Contracted(const at::Tensor& x, std::int64_t group) const;
  void ForEachWindow(const at::Tensor& x, const InputBlock& block, std::int64_t most_values, const Visit& visit) const;
  at::Tensor Padded(const at::Tensor& samples) const;

  std::vector<std::int64_t> shape_;  // of the weight
  std::int64_t channel_axis_ = 0;
  std::optional<network::Contraction> contraction_;
  std::optional<network::Windows> windows_;
  std::int64_t groups_ = 1, rows_ = 0, length_ = 0, together_ = 1;
};

}  // namespace bitplan::quantize
