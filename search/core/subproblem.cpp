#include "core/subproblem.h"

#include <algorithm>

namespace bitplan::search {
namespace {

void Settle(const Core& core, Subproblem& part, Index column) {
  part.settled[core.group[column]] = column;
  part.settled_loss += core.loss[column];
  for (std::size_t i = 0; i < core.budgets(); ++i) {
    part.rest[i] -= core.Cost(i, column);
    part.settled_cost[i] += core.Cost(i, column);
  }
}

void GatherFigures(const Core& core, Subproblem& part) {
  part.loss.reserve(part.columns());
  for (const Index column : part.column) part.loss.push_back(core.loss[column]);
  part.cost.reserve(part.columns() * core.budgets());
  for (std::size_t i = 0; i < core.budgets(); ++i)
    for (const Index column : part.column) part.cost.push_back(core.Cost(i, column));
}

}  // namespace

Subproblem WholeOf(const Core& core) {
  Subproblem all;
  all.settled.assign(core.groups(), Subproblem::kFree);
  all.settled_loss = core.settled_loss;
  all.settled_cost = core.settled_cost;
  all.rest = core.goal == Goal::Loss ? core.limits : std::vector<double>(core.budgets(), 0.0);
  for (std::size_t i = 0; i < core.budgets(); ++i) all.rest[i] -= core.settled_cost[i];
  for (Index g = 0; g < core.groups(); ++g) all.free_group.push_back(g);
  all.first = core.first;
  for (Index c = 0; c < core.columns(); ++c) all.column.push_back(c);
  return *Restrict(core, all, std::vector<char>(core.columns(), 1));
}

std::optional<Subproblem> Restrict(const Core& core, const Subproblem& part, const std::vector<char>& keep) {
  Subproblem kept;
  kept.rest = part.rest;
  kept.settled_cost = part.settled_cost;
  kept.settled_loss = part.settled_loss;
  kept.settled = part.settled;
  kept.first.push_back(0);
  kept.column.reserve(part.columns());
  for (std::size_t g = 0; g < part.groups(); ++g) {
    for (Index c = part.first[g]; c < part.first[g + 1]; ++c)
      if (keep[c]) kept.column.push_back(part.column[c]);
    const std::size_t left = kept.column.size() - kept.first.back();
    if (left == 0) return std::nullopt;
    if (left == 1) {
      Settle(core, kept, kept.column.back());
      kept.column.pop_back();
    } else {
      kept.free_group.push_back(part.free_group[g]);
      kept.first.push_back(static_cast<Index>(kept.column.size()));
    }
  }
  GatherFigures(core, kept);
  return kept;
}

std::optional<Subproblem> Restrict(const Core& core, const Subproblem& part, const Branch& branch) {
  const Index settled = part.settled[branch.group];
  if (settled != Subproblem::kFree) {
    if (!branch.Keeps(core, settled)) return std::nullopt;
    return part;
  }
  std::vector<char> keep(part.columns(), 1);
  const auto at = std::lower_bound(part.free_group.begin(), part.free_group.end(), branch.group);
  const auto g = static_cast<std::size_t>(at - part.free_group.begin());
  for (Index c = part.first[g]; c < part.first[g + 1]; ++c) keep[c] = branch.Keeps(core, part.column[c]);
  return Restrict(core, part, keep);
}

}  // namespace bitplan::search
