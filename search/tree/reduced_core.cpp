#include "tree/reduced_core.h"

#include <algorithm>

namespace bitplan::search {
namespace {

Core CoreOf(const Core& whole, const Subproblem& part) {
  Core core;
  core.goal = whole.goal;
  core.limits = whole.limits;
  core.settled_loss = part.settled_loss;
  core.settled_cost = part.settled_cost;
  core.settled_groups = whole.settled_groups + whole.groups() - part.groups();
  core.loss_scale = whole.loss_scale;
  core.loss_shift = whole.loss_shift;
  core.first = part.first;
  core.loss = part.loss;
  core.cost = part.cost;
  for (Index g = 0; g < part.groups(); ++g) core.group.insert(core.group.end(), part.first[g + 1] - part.first[g], g);
  for (const Index column : part.column) core.choice.push_back(whole.choice[column]);
  return core;
}

/// All of `core`, the free groups of `part`, which has settled others.
Subproblem RestOf(const Core& core, const Subproblem& part) {
  Subproblem all = part;
  all.settled.assign(core.groups(), Subproblem::kFree);
  for (Index g = 0; g < core.groups(); ++g) all.free_group[g] = g;
  for (Index c = 0; c < core.columns(); ++c) all.column[c] = c;
  return all;
}

Relaxation Renumbered(const Relaxation& relaxation, const std::vector<Index>& columns) {
  Relaxation renumbered = relaxation;
  bool known = true;
  const auto renumber = [&](Index& column) {
    const auto at = std::lower_bound(columns.begin(), columns.end(), column);
    known &= at != columns.end() && *at == column;
    column = static_cast<Index>(at - columns.begin());
  };
  for (BasisEntry& entry : renumbered.basis) {
    if (entry.extra) continue;
    renumber(entry.at);
    renumber(entry.key);
  }
  if (!known) renumbered.basis.clear();
  for (Share& share : renumbered.split) renumber(share.column);
  for (Index& column : renumbered.leading) renumber(column);
  return renumbered;
}

}  // namespace

CorePlan ReducedCore::Expand(const CorePlan& plan) const {
  CorePlan expanded = settled;
  for (std::size_t g = 0; g < plan.size(); ++g) expanded[group[g]] = column[plan[g]];
  return expanded;
}

Index ReducedCore::AddRow(const std::vector<double>& row, double limit) {
  const auto at = static_cast<Index>(core.budgets());
  core.cost.insert(core.cost.end(), row.begin(), row.end());
  core.limits.push_back(limit);
  core.settled_cost.push_back(0);
  root.part.cost.insert(root.part.cost.end(), row.begin(), row.end());
  root.part.rest.push_back(limit);
  root.part.settled_cost.push_back(0);
  root.relaxation.multipliers.push_back(0);
  if (!root.relaxation.basis.empty()) root.relaxation.basis.push_back({.extra = true, .at = at, .key = 0});
  return at;
}

ReducedCore Reduce(const Core& whole, const Node& node) {
  ReducedCore reduced;
  reduced.core = CoreOf(whole, node.part);
  reduced.root = Node(RestOf(reduced.core, node.part), Renumbered(node.relaxation, node.part.column), node.bound);
  reduced.settled = node.part.settled;
  reduced.group = node.part.free_group;
  reduced.column = node.part.column;
  return reduced;
}

}  // namespace bitplan::search
