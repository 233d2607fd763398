#include "data/draw.h"

#include <numeric>
#include <random>
#include <utility>

namespace bitplan::data {
namespace {

/// Uniform in 0 … bound−1. std::uniform_int_distribution differs between standard libraries.
std::uint64_t Below(std::uint64_t bound, std::mt19937_64& random) {
  // Of the 2^64 values, the last 2^64 mod bound would favor small remainders; they are drawn again.
  const std::uint64_t excess = (0 - bound) % bound;
  std::uint64_t value = random();
  while (value > std::mt19937_64::max() - excess) value = random();
  return value % bound;
}

}  // namespace

std::vector<std::int64_t> DrawSamples(std::int64_t total, std::int64_t count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::int64_t> order(static_cast<std::size_t>(total));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    std::swap(order[i], order[i + Below(order.size() - i, random)]);
  }
  order.resize(static_cast<std::size_t>(count));
  return order;
}

}  // namespace bitplan::data
