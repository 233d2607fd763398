// Without LibTorch's headers, and at -O3, so that the loops are vectorized.
#include "ordered_sums.h"

#include "simd/vector_clones.h"

namespace bitplan::integer {

namespace {

template <typename Register>
[[gnu::always_inline]] inline void AddTo(Register* __restrict sums, Register* __restrict overflowed,
                                         const std::int32_t* __restrict row, const Register factor,
                                         const std::int64_t count, const Register half, const bool wrap) {
  const Register least = -half, most = half - 1, low_bits = most + half;
  if (wrap) {
    for (std::int64_t i = 0; i < count; ++i) {
      const Register exact = sums[i] + factor * row[i], held = ((exact + half) & low_bits) - half;
      overflowed[i] |= exact ^ held;
      sums[i] = held;
    }
    return;
  }
  for (std::int64_t i = 0; i < count; ++i) {
    const Register exact = sums[i] + factor * row[i];
    Register held = exact < least ? least : exact;
    held = held > most ? most : held;
    overflowed[i] |= exact ^ held;
    sums[i] = held;
  }
}

}  // namespace

BITPLAN_VECTOR_CLONES
void AddProducts(std::int32_t* const sums, std::int32_t* const overflowed, const std::int32_t* const row,
                 const std::int32_t factor, const std::int64_t count, const std::int32_t half, const bool wrap) {
  AddTo(sums, overflowed, row, factor, count, half, wrap);
}

BITPLAN_VECTOR_CLONES
void AddProducts(std::int64_t* const sums, std::int64_t* const overflowed, const std::int32_t* const row,
                 const std::int64_t factor, const std::int64_t count, const std::int64_t half, const bool wrap) {
  AddTo(sums, overflowed, row, factor, count, half, wrap);
}

}  // namespace bitplan::integer
