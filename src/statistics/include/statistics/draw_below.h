#pragma once

#include <cstdint>
#include <random>

namespace bitplan::statistics {

/// Uniform in 0 … bound − 1. std::uniform_int_distribution differs between standard libraries.
inline std::uint64_t DrawBelow(std::uint64_t bound, std::mt19937_64& random) {
  // Of the 2^64 values, the last 2^64 mod bound would favor small remainders; they are drawn again.
  const std::uint64_t excess = (0 - bound) % bound;
  std::uint64_t value = random();
  while (value > std::mt19937_64::max() - excess) value = random();
  return value % bound;
}

}  // namespace bitplan::statistics
