#include "tree/swaps.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/unions.h"

namespace bitplan::search {
std::vector<Index> NumberCosts(const Core& core) {
  std::vector<Index> order(core.columns()), number(core.columns());
  std::iota(order.begin(), order.end(), Index{0});
  const auto before = [&](Index a, Index b) {
    for (std::size_t i = 0; i < core.budgets(); ++i)
      if (core.Cost(i, a) != core.Cost(i, b)) return core.Cost(i, a) < core.Cost(i, b);
    return false;
  };
  std::sort(order.begin(), order.end(), before);
  Index count = 0;
  for (std::size_t at = 0; at < order.size(); ++at) {
    if (at > 0 && before(order[at - 1], order[at])) ++count;
    number[order[at]] = count;
  }
  return number;
}

Swaps::Swaps(const Core& core) : kind_(core.groups()), cost_of_(NumberCosts(core)), first_(core.groups()) {
  const std::size_t costs = cost_of_.empty() ? 0 : 1 + *std::max_element(cost_of_.begin(), cost_of_.end());
  Unions unions(core.groups() + costs);
  for (Index c = 0; c < core.columns(); ++c)
    unions.Unite(core.group[c], static_cast<Index>(core.groups()) + cost_of_[c]);
  std::vector<Index> kind_at(core.groups() + costs, kNone), next(0), within(costs, kNone);
  for (Index g = 0; g < core.groups(); ++g) {
    Index& kind = kind_at[unions.Find(g)];
    if (kind == kNone) {
      kind = static_cast<Index>(twins_.size());
      twins_.emplace_back();
      next.push_back(0);
    }
    kind_[g] = kind;
    twins_[kind].push_back(g);
    for (Index c = core.first[g]; c < core.first[g + 1]; ++c) {
      Index& number = within[cost_of_[c]];
      if (number == kNone) number = next[kind]++;
      cost_of_[c] = number;
    }
  }
  for (Index g = 0; g < core.groups(); ++g) {
    first_[g] = column_.size();
    column_.resize(column_.size() + next[kind_[g]], kNone);
    for (Index c = core.first[g]; c < core.first[g + 1]; ++c) column_[first_[g] + cost_of_[c]] = c;
  }
  const double largest = core.loss.empty() ? 0 : *std::max_element(core.loss.begin(), core.loss.end());
  const double scale = largest > 0 ? 0x1p52 / largest : 0;
  for (const double loss : core.loss) loss_.push_back(std::llround(loss * scale));
}

/// Whether j can leave the costs numbered `second` alone as k is held to columns of the costs numbered `held`.
bool Swaps::NeedsNot(Index j, Index second, Index k, const std::vector<Index>& held) const {
  const Index* const of_j = ColumnsOf(j);
  const Index* const of_k = ColumnsOf(k);
  if (of_k[second] == kNone) return false;
  return std::all_of(held.begin(), held.end(), [&](Index first) {
    if (first == second || of_j[first] == kNone) return false;
    const Loss swapped = loss_[of_j[first]] + loss_[of_k[second]], now = loss_[of_j[second]] + loss_[of_k[first]];
    return swapped < now || (swapped == now && (j < k) == (first < second));
  });
}

std::optional<Subproblem> Swaps::Restrict(const Core& core, const Subproblem& part, Index group) const {
  std::vector<Index> held;
  if (part.settled[group] != Subproblem::kFree) {
    held.push_back(cost_of_[part.settled[group]]);
  } else {
    const auto at = std::lower_bound(part.free_group.begin(), part.free_group.end(), group) - part.free_group.begin();
    for (Index c = part.first[static_cast<std::size_t>(at)]; c < part.first[static_cast<std::size_t>(at) + 1]; ++c)
      held.push_back(cost_of_[part.column[c]]);
  }
  std::vector<char> keep(part.columns(), 1);
  for (std::size_t g = 0; g < part.groups(); ++g) {
    const Index j = part.free_group[g];
    if (j == group || kind_[j] != kind_[group]) continue;
    for (Index c = part.first[g]; c < part.first[g + 1]; ++c)
      keep[c] = !NeedsNot(j, cost_of_[part.column[c]], group, held);
  }
  if (std::find(keep.begin(), keep.end(), 0) == keep.end()) return part;
  return search::Restrict(core, part, keep);
}

}  // namespace bitplan::search
