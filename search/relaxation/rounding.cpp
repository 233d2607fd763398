#include "relaxation/rounding.h"

#include <algorithm>
#include <cmath>

#include "tuning.h"

namespace bitplan::search {
namespace {

struct Rounder {
  const Core& core;
  std::vector<std::vector<Index>> options;  // core columns of each split group
  std::vector<double> use;                  // of the columns chosen so far
  CorePlan plan;
  CorePlan best;
  double best_value = kInfinity;
  double loss = 0;

  void Place(Index column, double sign) {
    loss += sign * core.loss[column];
    for (std::size_t i = 0; i < core.budgets(); ++i) use[i] += sign * core.Cost(i, column);
  }

  /// Of what is taken so far; infinite over a budget.
  double Value() const {
    double peak = 0;
    for (std::size_t i = 0; i < core.budgets(); ++i) peak = std::max(peak, use[i] / core.limits[i]);
    if (core.goal == Goal::PeakUse) return peak;
    return peak <= 1 ? loss : kInfinity;
  }

  void Try(std::size_t depth) {
    const double value = Value();
    if (value >= best_value) return;
    if (depth == options.size()) {
      best_value = value;
      best = plan;
      return;
    }
    for (const Index column : options[depth]) {
      plan[core.group[column]] = column;
      Place(column, 1);
      Try(depth + 1);
      Place(column, -1);
    }
  }
};

std::vector<std::vector<Index>> OptionsOfSplitGroups(const Core& core, const Subproblem& part,
                                                     const Relaxation& relaxation) {
  std::vector<Index> groups;
  for (const Share& share : relaxation.split)
    if (groups.empty() || groups.back() != core.group[share.column]) groups.push_back(core.group[share.column]);
  if (groups.empty()) return {};
  const double most = std::pow(tuning::simplex::kMostRoundings, 1.0 / static_cast<double>(groups.size()));
  const std::size_t width = std::max<std::size_t>(2, static_cast<std::size_t>(most));
  double combinations = 1;
  std::vector<std::vector<Index>> options;
  for (const Index group : groups) {
    const auto at = std::lower_bound(part.free_group.begin(), part.free_group.end(), group) - part.free_group.begin();
    const auto g = static_cast<std::size_t>(at);
    std::vector<Index> columns;
    for (Index c = part.first[g]; c < part.first[g + 1]; ++c) columns.push_back(c);
    std::stable_sort(columns.begin(), columns.end(),
                     [&](Index a, Index b) { return relaxation.reduced_loss[a] < relaxation.reduced_loss[b]; });
    columns.resize(combinations > tuning::simplex::kMostRoundings ? 1 : std::min(columns.size(), width));
    combinations *= static_cast<double>(columns.size());
    for (Index& column : columns) column = part.column[column];
    options.push_back(std::move(columns));
  }
  return options;
}

}  // namespace

CorePlan Round(const Core& core, const Subproblem& part, const Relaxation& relaxation, double below) {
  Rounder rounder{.core = core,
                  .options = OptionsOfSplitGroups(core, part, relaxation),
                  .use = part.settled_cost,
                  .plan = part.settled,
                  .best = {},
                  .best_value = below,
                  .loss = part.settled_loss};
  auto share = relaxation.split.begin();
  for (std::size_t g = 0; g < part.groups(); ++g) {
    const Index group = part.free_group[g];
    const bool split = share != relaxation.split.end() && core.group[share->column] == group;
    while (share != relaxation.split.end() && core.group[share->column] == group) ++share;
    if (split) continue;
    rounder.plan[group] = relaxation.leading[g];
    rounder.Place(relaxation.leading[g], 1);
  }
  rounder.Try(0);
  return rounder.best;
}

}  // namespace bitplan::search
