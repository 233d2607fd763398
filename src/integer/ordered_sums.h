#pragma once

#include <cstdint>

namespace bitplan::integer {

/// Adds factor · row[i] to sums[i], each a register of two's complement from −half to half − 1, half a power of two;
/// marks overflowed[i] with a value other than 0 where it cannot hold the sum. With `wrap` it keeps the low bits, else
/// it saturates. Every sum must fit the type; none may overlap.
void AddProducts(std::int32_t* sums, std::int32_t* overflowed, const std::int32_t* row, std::int32_t factor,
                 std::int64_t count, std::int32_t half, bool wrap);
void AddProducts(std::int64_t* sums, std::int64_t* overflowed, const std::int32_t* row, std::int64_t factor,
                 std::int64_t count, std::int64_t half, bool wrap);

}  // namespace bitplan::integer
