#include "core/levelled_costs.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <utility>

#include "tree/swaps.h"
#include "tuning.h"

namespace bitplan::search {
namespace {

using namespace tuning::levels;

/// How many groups differ in the costs of their first and last columns, in the order of costs.
std::size_t CountKinds(const Core& core) {
  const std::vector<Index> number = NumberCosts(core);
  std::set<std::pair<Index, Index>> kinds;
  for (std::size_t g = 0; g < core.groups(); ++g) {
    const auto [least, most] = std::minmax_element(number.begin() + core.first[g], number.begin() + core.first[g + 1]);
    kinds.emplace(*least, *most);
  }
  return kinds.size();
}

}  // namespace

Core WithLevels(Core core, double noise, double spread, Level level) {
  const std::size_t columns = core.columns();
  std::vector<Index> order(columns);
  std::iota(order.begin(), order.end(), Index{0});
  for (std::size_t i = 0; i < core.budgets(); ++i) {
    double* const cost = &core.cost[i * columns];
    std::sort(order.begin(), order.end(), [&](Index a, Index b) { return cost[a] < cost[b]; });
    for (std::size_t begin = 0, end = 0; begin < columns; begin = end) {
      const double first = cost[order[begin]];
      double last = first;
      for (; end < columns && cost[order[end]] <= last * (1 + noise); ++end) last = cost[order[end]];
      if (last > first * (1 + spread)) continue;
      for (std::size_t at = begin; at < end; ++at) cost[order[at]] = level == Level::Least ? first : last;
    }
  }
  return core;
}

std::optional<LevelledCosts> LevelCosts(const Core& core) {
  LevelledCosts levelled{WithLevels(core, kNoise, kSpread, Level::Least),
                         WithLevels(core, kNoise, kSpread, Level::Most)};
  if (2 * CountKinds(levelled.least) > CountKinds(core)) return std::nullopt;
  return levelled;
}

}  // namespace bitplan::search
