#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <limits>

#include "quantize/quantized_network.h"

namespace bitplan::integer {

/// What integers q stand for: scale · (q − zero_point).
struct IntegerGrid {
  at::Tensor scale;  ///< float64 [1], or [channels]
  int channel_axis =
      0;  ///< of the tensor of integers, from the back (−1, −3, …), along which the scales lie; 0: there is one
  std::int64_t zero_point = 0;                    ///< 0 where there are several scales
  std::int64_t low = -kLargest, high = kLargest;  ///< all that q may be
  double reach = 0;                               ///< no integer stands for a number of larger magnitude

  static constexpr std::int64_t kLargest = std::numeric_limits<std::int32_t>::max();

  double Scale() const { return scale.item<double>(); }  ///< the only one
  bool HasOneScale() const { return channel_axis == 0; }
};

/// Of a quantized site.
IntegerGrid GridOf(const QuantizedInput& input);

/// 32-bit integers at one scale, the least power of two at which they hold ±reach with a bit to spare.
IntegerGrid WideGrid(double reach);

/// One number a channel (or one in all), in a shape that broadcasts over integers of this grid.
at::Tensor AlongGrid(const at::Tensor& numbers, const IntegerGrid& grid);

/// As FakeQuantize: clamp(round_half_even(x · (1 / scale)) + zero_point), int32.
at::Tensor Quantized(const at::Tensor& x, const IntegerGrid& grid);

/// What integers stand for, float32.
at::Tensor Dequantized(const at::Tensor& q, const IntegerGrid& grid);

/// Integers of one grid on another one, which has one scale: clamp(round(q · (from.scale / to.scale)) + to.zero_point),
/// the ratio a multiplier of so many bits and a shift, rounded half to even. int32. A zero point of `from` is taken off
/// first.
at::Tensor Requantized(const at::Tensor& q, const IntegerGrid& from, const IntegerGrid& to, int multiplier_bits);

}  // namespace bitplan::integer
