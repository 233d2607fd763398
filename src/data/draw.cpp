#include "data/draw.h"

#include <numeric>
#include <random>
#include <utility>

#include "statistics/draw_below.h"

namespace bitplan::data {

std::vector<std::int64_t> DrawSamples(std::int64_t total, std::int64_t count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::int64_t> order(static_cast<std::size_t>(total));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    std::swap(order[i], order[i + statistics::DrawBelow(order.size() - i, random)]);
  }
  order.resize(static_cast<std::size_t>(count));
  return order;
}

}  // namespace bitplan::data
