#include "search/levelled_costs.h"

#include <algorithm>
#include <numeric>

#include "search/swaps.h"

namespace bitplan::search {
namespace {

constexpr double kNoise = 1e-4;
constexpr double kSpread = 1e-3;

Index CountCosts(const Core& core) {
  const std::vector<Index> number = NumberCosts(core);
  return number.empty() ? 0 : 1 + *std::max_element(number.begin(), number.end());
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
      for (; end < columns && cost[order[end]] <= std::min(last * (1 + noise), first * (1 + spread)); ++end)
        last = cost[order[end]];
      for (std::size_t at = begin; at < end; ++at) cost[order[at]] = level == Level::Least ? first : last;
    }
  }
  return core;
}

std::optional<LevelledCosts> LevelCosts(const Core& core) {
  LevelledCosts levelled{WithLevels(core, kNoise, kSpread, Level::Least),
                         WithLevels(core, kNoise, kSpread, Level::Most)};
  if (CountCosts(levelled.least) == CountCosts(core)) return std::nullopt;
  return levelled;
}

}  // namespace bitplan::search
