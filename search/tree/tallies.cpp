#include "tree/tallies.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <utility>

#include "core/levelled_costs.h"
#include "core/unions.h"
#include "tree/surpluses.h"
#include "tuning.h"

namespace bitplan::search {
namespace {

using namespace tuning::tallies;

/// A core whose last budget is the loss.
Core WithLossAsCost(Core core) {
  core.cost.insert(core.cost.end(), core.loss.begin(), core.loss.end());
  core.limits.push_back(kInfinity);
  return core;
}

/// Costs, and losses as the last of them, by levels, so that noise does not tell groups apart: of the whole core and of
/// its part that is searched.
struct Levels {
  Core whole, core;

  Levels(const Core& all, const ReducedCore& part)
      : whole(WithLevels(WithLossAsCost(all), kNoise, kSpread, Level::Least)), core(WithLossAsCost(part.core)) {
    for (std::size_t i = 0; i < core.budgets(); ++i)
      for (Index c = 0; c < core.columns(); ++c) core.cost[i * core.columns() + c] = whole.Cost(i, part.column[c]);
  }
};

/// Groups of the core that are alike in a figure, a budget or the loss, with what their columns cost there.
struct Kind {
  std::size_t figure = 0;  // budget of the levels
  std::vector<Index> groups;
  std::vector<double> costs;  // rising
};

bool HasMoreGroups(const Kind& a, const Kind& b) { return a.groups.size() > b.groups.size(); }

/// Has the kind, whose groups are known, in the figure's costs.
void SetFigure(const Core& core, std::size_t figure, Kind& kind) {
  kind.figure = figure;
  for (const Index g : kind.groups)
    for (Index c = core.first[g]; c < core.first[g + 1]; ++c) kind.costs.push_back(core.Cost(figure, c));
  std::sort(kind.costs.begin(), kind.costs.end());
  kind.costs.erase(std::unique(kind.costs.begin(), kind.costs.end()), kind.costs.end());
}

/// Least and largest cost of a group.
std::pair<double, double> RangeOf(const Core& core, Index group, std::size_t budget) {
  const auto begin = core.cost.begin() + static_cast<std::ptrdiff_t>(budget * core.columns());
  const auto [least, most] = std::minmax_element(begin + core.first[group], begin + core.first[group + 1]);
  return {*least, *most};
}

bool CostTheSame(const Core& core, Index a, Index b) {
  for (std::size_t i = 0; i < core.budgets(); ++i)
    if (RangeOf(core, a, i) != RangeOf(core, b, i)) return false;
  return true;
}

/// Whether groups of the kind mostly have others that cost the same, which Swaps orders.
bool MostlySwap(const Core& whole, const std::vector<Index>& groups, const Kind& kind) {
  std::set<std::vector<std::pair<double, double>>> different;
  for (const Index g : kind.groups) {
    std::vector<std::pair<double, double>> ranges;
    for (std::size_t i = 0; i < whole.budgets(); ++i) ranges.push_back(RangeOf(whole, groups[g], i));
    different.insert(std::move(ranges));
  }
  return 2 * different.size() <= kind.groups.size();
}

/// Whether the groups gain about as much as each other by their bits. Where they do not, which of them get more is
/// settled by that, and sums over them tell little.
bool LoseAlike(const Core& whole, const std::vector<Index>& groups, const Kind& kind) {
  double least = kInfinity, most = 0;
  for (const Index g : kind.groups) {
    const auto losses = whole.loss.begin();
    const double loss = *std::max_element(losses + whole.first[groups[g]], losses + whole.first[groups[g] + 1]);
    least = std::min(least, loss);
    most = std::max(most, loss);
  }
  return most <= kAlike * least;
}

std::vector<Kind> KindsByRange(const Core& whole, const Levels& levels, const std::vector<Index>& groups) {
  const Core& core = levels.core;
  std::vector<Kind> kinds;
  for (std::size_t i = 0; i < whole.budgets(); ++i) {
    std::map<std::pair<double, double>, Kind> by_range;
    for (Index g = 0; g < core.groups(); ++g) by_range[RangeOf(levels.whole, groups[g], i)].groups.push_back(g);
    if (by_range.size() > kMostKinds) continue;
    for (auto& [range, kind] : by_range) {
      const auto differs = [&](Index g) { return !CostTheSame(whole, groups[g], groups[kind.groups.front()]); };
      if (std::none_of(kind.groups.begin(), kind.groups.end(), differs) || !LoseAlike(whole, groups, kind)) continue;
      SetFigure(core, i, kind);
      const Index one = groups[kind.groups.front()];
      const std::size_t columns = whole.first[one + 1] - whole.first[one];
      const bool levelled = kind.costs.size() <= 2 * columns;  // or ranks mean nothing
      if (kind.costs.size() > 1 && levelled) kinds.push_back(std::move(kind));
    }
  }
  std::stable_sort(kinds.begin(), kinds.end(), HasMoreGroups);
  if (kinds.size() > kMost) kinds.resize(kMost);
  return kinds;
}

/// Per column of the core its rank, and the highest one of its group; 0 outside the kind.
std::vector<double> Ranks(const Kind& kind, const Core& core) {
  std::vector<double> ranks(core.columns(), 0.0);
  for (const Index g : kind.groups)
    for (Index c = core.first[g]; c < core.first[g + 1]; ++c)
      ranks[c] = static_cast<double>(std::lower_bound(kind.costs.begin(), kind.costs.end(), core.Cost(kind.figure, c)) -
                                     kind.costs.begin());
  return ranks;
}

/// Counts of the groups that take a column of at least a rank.
std::vector<std::vector<double>> CountsOf(const Kind& kind, const Core& core) {
  const std::vector<double> ranks = Ranks(kind, core);
  std::vector<std::vector<double>> counts;
  for (std::size_t rank = 1; rank < kind.costs.size(); ++rank) {
    counts.emplace_back(core.columns(), 0.0);
    for (const Index g : kind.groups)
      for (Index c = core.first[g]; c < core.first[g + 1]; ++c)
        counts.back()[c] = ranks[c] >= static_cast<double>(rank) ? 1.0 : 0.0;
  }
  return counts;
}

/// What a plan, or shares, spend of a row.
double Spent(const Core& core, const Node& node, Index row) {
  double spent = node.part.settled_cost[row];
  auto share = node.relaxation.split.begin();
  for (std::size_t g = 0; g < node.part.groups(); ++g) {
    bool split = false;
    for (; share != node.relaxation.split.end() && core.group[share->column] == node.part.free_group[g]; ++share) {
      spent += share->value * core.Cost(row, share->column);
      split = true;
    }
    if (!split) spent += core.Cost(row, node.relaxation.leading[g]);
  }
  return spent;
}

Subproblem Lowered(const Subproblem& part, Index row, double limit) {
  Subproblem lowered = part;
  lowered.rest[row] = std::min(part.rest[row], limit - part.settled_cost[row]);
  return lowered;
}

Tally AddTally(const std::vector<Index>& groups, std::vector<double> ranks, ReducedCore& part) {
  Core& core = part.core;
  std::vector<double> above = ranks;
  Tally tally;
  for (const Index g : groups) {
    const double highest = *std::max_element(ranks.begin() + core.first[g], ranks.begin() + core.first[g + 1]);
    tally.highest += highest;
    for (Index c = core.first[g]; c < core.first[g + 1]; ++c) above[c] = highest - ranks[c];
  }
  tally.unit = std::exp2(-std::ceil(std::log2(tally.highest + 1)));  // rows of about 1, as the budgets are
  for (auto* row : {&ranks, &above})
    for (double& rank : *row) rank *= tally.unit;
  const double limit = tally.highest * tally.unit;
  tally.at_most = part.AddRow(ranks, limit);
  tally.at_least = part.AddRow(above, limit);
  return tally;
}

std::vector<Index> GroupsOf(const Core& core) {
  std::vector<Index> groups(core.groups());
  std::iota(groups.begin(), groups.end(), Index{0});
  return groups;
}

/// Groups that have levels of a figure in common.
std::vector<Kind> KindsByLevels(const Core& whole, const Levels& levels, const std::vector<Index>& groups,
                                std::size_t figure) {
  const Core& core = levels.core;
  std::map<double, Index> first_with;  // level to a group that has it
  Unions unions(core.groups());
  for (Index c = 0; c < core.columns(); ++c) {
    const double cost = core.Cost(figure, c);
    if (cost == 0) continue;  // of losses, every group's least
    unions.Unite(core.group[c], first_with.try_emplace(cost, core.group[c]).first->second);
  }
  if (kLeastColumnsOfALevel * first_with.size() > core.columns()) return {};
  std::map<Index, Kind> by_union;
  for (Index g = 0; g < core.groups(); ++g) by_union[unions.Find(g)].groups.push_back(g);
  std::vector<Kind> kinds;
  for (auto& [root, kind] : by_union) {
    if (kind.groups.size() < 2 || MostlySwap(whole, groups, kind)) continue;
    SetFigure(core, figure, kind);
    if (kind.costs.size() > 1) kinds.push_back(std::move(kind));
  }
  return kinds;
}

std::vector<Kind> CountedKinds(const Core& whole, const Levels& levels, const std::vector<Index>& groups) {
  std::vector<Kind> kinds;
  for (std::size_t figure = levels.core.budgets(); figure-- > 0;)
    for (Kind& kind : KindsByLevels(whole, levels, groups, figure)) kinds.push_back(std::move(kind));
  std::stable_sort(kinds.begin(), kinds.end(), HasMoreGroups);
  return kinds;
}

}  // namespace

std::vector<Tally> AddTallies(const Core& whole, ReducedCore& part, TalliesOf of) {
  std::vector<Tally> tallies;
  if (of == TalliesOf::Surpluses) {
    const std::vector<double> surpluses = SurplusesOf(whole);
    if (surpluses.empty()) return tallies;
    std::vector<double> left;
    for (const Index column : part.column) left.push_back(surpluses[column]);
    tallies.push_back(AddTally(GroupsOf(part.core), std::move(left), part));
    return tallies;
  }
  const Levels levels(whole, part);
  if (of == TalliesOf::Ranks) {
    for (const Kind& kind : KindsByRange(whole, levels, part.group))
      tallies.push_back(AddTally(kind.groups, Ranks(kind, levels.core), part));
    return tallies;
  }
  for (const Kind& kind : CountedKinds(whole, levels, part.group)) {
    if (tallies.size() + kind.costs.size() - 1 > kMostCounts) continue;
    for (auto& count : CountsOf(kind, levels.core)) tallies.push_back(AddTally(kind.groups, std::move(count), part));
  }
  return tallies;
}

std::optional<TallySides> Divide(const Core& core, const Node& node, const Tally& tally) {
  const double value = Spent(core, node, tally.at_most) / tally.unit, below = std::floor(value);
  if (std::abs(value - std::round(value)) < kWhole) return std::nullopt;
  return TallySides{Lowered(node.part, tally.at_most, below * tally.unit),
                    Lowered(node.part, tally.at_least, (tally.highest - below - 1) * tally.unit)};
}

std::vector<TallySides> DivideBeside(const Core& core, const Node& node, const Tally& tally) {
  const double value = std::round(Spent(core, node, tally.at_most) / tally.unit);
  const auto limit = [&](Index row) {
    return std::floor((node.part.rest[row] + node.part.settled_cost[row]) / tally.unit + kWhole);
  };
  std::vector<TallySides> sides;
  if (limit(tally.at_most) > value)
    sides.push_back({Lowered(node.part, tally.at_most, value * tally.unit),
                     Lowered(node.part, tally.at_least, (tally.highest - value - 1) * tally.unit)});
  if (limit(tally.at_least) > tally.highest - value)
    sides.push_back({Lowered(node.part, tally.at_least, (tally.highest - value) * tally.unit),
                     Lowered(node.part, tally.at_most, (value - 1) * tally.unit)});
  return sides;
}

}  // namespace bitplan::search
