#include "search/core.h"

#include <algorithm>
#include <cmath>

#include "core/dominance.h"
#include "tuning.h"

namespace bitplan::search {
namespace {

/// A power of two near `value`, or 1 for 0.
double PowerOfTwoNear(double value) {
  return value > 0 ? std::ldexp(1.0, std::clamp(std::ilogb(value), -1000, 1000)) : 1.0;
}

/// The choices still in play, group by group, with the costs of the budgets still in play.
struct Draft {
  std::vector<double> limits, scale;
  std::vector<std::string> names;
  std::vector<std::vector<Candidate>> groups;
};

Draft ReadProblem(const Problem& problem, Goal goal) {
  Draft draft;
  for (const auto& [name, budget] : problem.budgets) {
    draft.limits.push_back(LimitWithTolerance(budget));
    draft.names.push_back(name);
  }
  for (const auto& group : problem.groups) {
    auto& candidates = draft.groups.emplace_back();
    candidates.reserve(group.choices.size());
    for (std::size_t choice = 0; choice < group.choices.size(); ++choice) {
      const auto& given = group.choices[choice];
      candidates.push_back(
          {static_cast<Index>(choice), goal == Goal::Loss ? given.objective : 0.0, BudgetedCosts(problem, given)});
    }
  }
  return draft;
}

template <typename Pick>
double SumOverGroups(const Draft& draft, std::size_t budget, Pick pick) {
  double sum = 0;
  for (const auto& group : draft.groups) {
    double best = group[0].costs[budget];
    for (const auto& candidate : group) best = pick(best, candidate.costs[budget]);
    sum += best;
  }
  return sum;
}

double Least(double a, double b) { return std::min(a, b); }
double Most(double a, double b) { return std::max(a, b); }

/// Drops choices that are over a budget even when all other groups take their cheapest.
bool DropUnaffordable(Draft& draft, std::size_t budget) {
  const double least = SumOverGroups(draft, budget, Least);
  const double limit = draft.limits[budget];
  bool dropped = false;
  for (auto& group : draft.groups) {
    double cheapest = group[0].costs[budget];
    for (const auto& candidate : group) cheapest = std::min(cheapest, candidate.costs[budget]);
    // The cheapest choice itself stays whatever the rounding of the sums.
    const double allowed = std::max(cheapest, limit - (least - cheapest) + tuning::kRounding * limit);
    dropped |= std::erase_if(group, [&](const Candidate& candidate) { return candidate.costs[budget] > allowed; }) > 0;
  }
  return dropped;
}

void DropBudget(Draft& draft, std::size_t budget) {
  const auto at = static_cast<std::ptrdiff_t>(budget);
  draft.limits.erase(draft.limits.begin() + at);
  draft.names.erase(draft.names.begin() + at);
  for (auto& group : draft.groups)
    for (auto& candidate : group) candidate.costs.erase(candidate.costs.begin() + at);
}

/// Reduces until nothing changes: each step can make room for another.
void Reduce(Draft& draft, Goal goal, Dominated dominated) {
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t i = 0; i < draft.limits.size(); ++i)
      if (goal == Goal::Loss || draft.limits[i] == 0) changed |= DropUnaffordable(draft, i);
    for (std::size_t i = draft.limits.size(); i-- > 0;) {
      const bool free = goal == Goal::Loss ? SumOverGroups(draft, i, Most) <= draft.limits[i] : draft.limits[i] == 0;
      if (free) DropBudget(draft, i);
      changed |= free;
    }
    if (dominated == Dominated::LeftOut)
      for (auto& group : draft.groups) changed |= RemoveDominated(group);
  }
}

void ScaleCosts(Draft& draft) {
  for (std::size_t i = 0; i < draft.limits.size(); ++i) {
    const double scale = PowerOfTwoNear(draft.limits[i]);
    draft.scale.push_back(scale);
    draft.limits[i] /= scale;
    for (auto& group : draft.groups)
      for (auto& candidate : group) candidate.costs[i] = std::min(candidate.costs[i] / scale, 1e200);
  }
}

void ScaleLosses(Draft& draft, Core& core) {
  double widest = 0;
  for (auto& group : draft.groups) {
    const auto less = [](const Candidate& a, const Candidate& b) { return a.loss < b.loss; };
    const double least = std::min_element(group.begin(), group.end(), less)->loss;
    core.loss_shift += least;
    for (auto& candidate : group) {
      candidate.loss -= least;
      widest = std::max(widest, candidate.loss);
    }
  }
  core.loss_scale = PowerOfTwoNear(widest);
  for (auto& group : draft.groups)
    for (auto& candidate : group) candidate.loss /= core.loss_scale;
}

}  // namespace

std::vector<double> BudgetedCosts(const Problem& problem, const Choice& choice) {
  std::vector<double> costs;
  costs.reserve(problem.budgets.size());
  auto cost = choice.costs.begin();  // sorted by name, as the budgets are, each of which has its cost
  for (const auto& [name, budget] : problem.budgets) {
    while (cost->first != name) ++cost;
    costs.push_back(cost->second);
  }
  return costs;
}

double Core::Value(const CorePlan& plan) const {
  double peak = 0;
  for (std::size_t i = 0; i < budgets(); ++i) {
    double sum = settled_cost[i];
    for (const Index column : plan) sum += Cost(i, column);
    if (goal == Goal::Loss && sum > limits[i]) return kInfinity;
    if (goal == Goal::PeakUse) peak = std::max(peak, sum / limits[i]);
  }
  if (goal == Goal::PeakUse) return peak;
  double sum = settled_loss;
  for (const Index column : plan) sum += loss[column];
  return sum;
}

std::map<std::string, double> Core::PricesInProblem(const std::vector<double>& multipliers, double unit) const {
  std::map<std::string, double> prices;
  for (std::size_t i = 0; i < multipliers.size(); ++i) prices[budget_names[i]] = multipliers[i] * unit / cost_scale[i];
  return prices;
}

Core BuildCore(const Problem& problem, Goal goal, Dominated dominated) {
  Draft draft = ReadProblem(problem, goal);
  Reduce(draft, goal, dominated);
  Core core;
  core.goal = goal;
  ScaleCosts(draft);
  ScaleLosses(draft, core);
  core.limits = draft.limits;
  core.settled_cost.assign(core.limits.size(), 0.0);
  core.budget_names = draft.names;
  core.cost_scale = draft.scale;
  core.first.push_back(0);
  for (std::size_t g = 0; g < draft.groups.size(); ++g) {
    for (const auto& candidate : draft.groups[g]) {
      core.loss.push_back(candidate.loss);
      core.choice.push_back(candidate.choice);
      core.group.push_back(static_cast<Index>(g));
    }
    core.first.push_back(static_cast<Index>(core.loss.size()));
  }
  for (std::size_t i = 0; i < core.budgets(); ++i)
    for (const auto& group : draft.groups)
      for (const auto& candidate : group) core.cost.push_back(candidate.costs[i]);
  return core;
}

std::vector<std::size_t> ChoicesOf(const Core& core, const CorePlan& plan) {
  std::vector<std::size_t> choices;
  for (const Index column : plan) choices.push_back(core.choice[column]);
  return choices;
}

CorePlan PlanOf(const Core& core, const std::vector<std::size_t>& choices) {
  CorePlan plan(core.groups());
  for (Index c = 0; c < core.columns(); ++c)
    if (core.choice[c] == choices[core.group[c]]) plan[core.group[c]] = c;
  return plan;
}

}  // namespace bitplan::search
