#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <utility>
#include <variant>

#include "accumulator.h"
#include "integer/grid.h"
#include "integer/layer_operands.h"
#include "network/layer_product.h"

namespace bitplan::integer {

/// One use of a layer on integers: from codes of its input to sums of products, its bias included. With codes q and
/// zero points z
///     Σ (q_w − z_w)(q_x − z_x) = Σ q_w q_x − z_x Σ q_w − z_w Σ q_x + n z_w z_x       (Jacob et al. 2018, equation 7)
/// over the n products of an output, padding left out. An accumulator starts at 0, takes the products q_w q_x one by
/// one in row-major order of the weight's axes without the output channels (input channel, then kernel position), then
/// the other three terms, then the bias.
class IntegerProduct {
 public:
  /// The product, or why there is none.
  static std::variant<IntegerProduct, std::string> Of(const Network& network, const QuantizedState& state,
                                                      const network::LayerOperator& use, const IntegerOptions& options);

  /// int32 codes of the input in; sums on grid() out: int32, or int64 where accumulators have more than 32 bits. Adds
  /// the number of accumulators that overflowed to `overflows`.
  at::Tensor operator()(const at::Tensor& codes, std::int64_t& overflows) const;

  const IntegerGrid& grid() const { return grid_; }
  bool MayOverflow() const { return may_overflow_; }

 private:
  IntegerProduct(network::LayerProduct product, LayerOperands operands, const IntegerOptions& options);

  void SetGrid();
  void SetBounds();
  at::Tensor Products(const at::Tensor& codes, const at::Tensor& weight, at::ScalarType type) const;  // exact, int64
  Accumulated InOrder(const at::Tensor& codes) const;
  Accumulated ProductsInOrder(const at::Tensor& codes) const;
  Accumulated SlidingInOrder(const at::Tensor& codes, const network::Sliding& sliding) const;

  network::LayerProduct product_;
  LayerOperands operands_;
  Accumulator accumulator_;
  IntegerGrid grid_;
  at::Tensor bias_;                          // int64, at the accumulators' scale, in a shape that broadcasts over them
  at::Tensor weight_zero_;                   // the weight's zero points, int32, in a shape that broadcasts over it
  at::ScalarType exact_type_ = at::kDouble;  // in which centered products are summed without rounding
  bool may_overflow_ = false;
};

}  // namespace bitplan::integer
