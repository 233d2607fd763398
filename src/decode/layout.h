#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "decode/array.h"

namespace bitplan::decode {

/// The unsigned integer that `bytes` (at most 8) spell in this byte order.
std::uint64_t ReadUnsigned(std::span<const std::uint8_t> bytes, std::endian order);

/// Turns elements stored in `order` into this machine's byte order, in place.
void MakeNative(Array& array, std::endian order);

/// Turns column-major elements (the first axis varies fastest, NumPy's `fortran_order`) into row-major ones.
void MakeRowMajor(Array& array);

}  // namespace bitplan::decode
