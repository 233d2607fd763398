#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "bitplan/integer.h"

namespace bitplan::integer {

/// A register that sums of products are kept in: two's complement of so many bits.
struct Accumulator {
  int bits = 32;
  Overflow overflow = Overflow::Saturate;

  std::int64_t Largest() const { return (std::int64_t{1} << (bits - 1)) - 1; }
};

/// Accumulators of one shape, and which of them could not hold a sum, once or more often.
struct Accumulated {
  at::Tensor sums;        ///< int64
  at::Tensor overflowed;  ///< bool

  /// Starts at 0 everywhere.
  static Accumulated Zeros(at::IntArrayRef shape);

  /// Adds one number (int64, broadcast) to each.
  void Add(const at::Tensor& numbers, const Accumulator& accumulator);
};

/// One product after another: patches int32 [G, K, L] and weights int32 [G, O, K] give accumulators [G, O, L], to which
/// weights[g, o, k] · patches[g, k, l] is added for k = 0, 1, ….
Accumulated SumInOrder(const at::Tensor& patches, const at::Tensor& weights, const Accumulator& accumulator);

}  // namespace bitplan::integer
