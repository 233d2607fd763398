#include "tree/infeasibility.h"

#include <algorithm>
#include <cmath>

#include "tree/feasibility.h"
#include "tuning.h"

namespace bitplan::search {
namespace {

double Overrun(double spent, double limit) {
  if (spent <= LimitWithTolerance(limit)) return 0;
  return limit > 0 ? spent / limit - 1 : kInfinity;
}

double Spent(const Problem& problem, const std::string& cost, const std::vector<std::size_t>& choices) {
  double sum = 0;
  for (std::size_t g = 0; g < choices.size(); ++g) sum += problem.groups[g].choices[choices[g]].costs.at(cost);
  return sum;
}

/// Of the choices that spend least of `cost`, in each group the one with the least objective.
std::vector<std::size_t> CheapestPlan(const Problem& problem, const std::string& cost) {
  std::vector<std::size_t> plan;
  for (const auto& group : problem.groups) {
    std::pair<double, double> best{kInfinity, kInfinity};
    plan.push_back(0);
    for (std::size_t choice = 0; choice < group.choices.size(); ++choice) {
      const std::pair figures{group.choices[choice].costs.at(cost), group.choices[choice].objective};
      if (figures >= best) continue;
      best = figures;
      plan.back() = choice;
    }
  }
  return plan;
}

/// The plan that minimizes, or comes near to minimizing, the largest share of a budget that is spent.
TreeResult ClosestPlan(const Problem& problem, Monitor& monitor) {
  const Core core = BuildCore(problem, Goal::PeakUse);
  const Node root = SolveRoot(core, monitor);
  Incumbent start;
  CorePlan balanced(core.groups());
  for (Index g = 0; g < core.groups(); ++g) {
    double least = kInfinity;
    for (Index c = core.first[g]; c < core.first[g + 1]; ++c) {
      double use = 0;
      for (std::size_t i = 0; i < core.budgets(); ++i) use += core.Cost(i, c) / core.limits[i];
      if (use >= least) continue;
      least = use;
      balanced[g] = c;
    }
  }
  start.Offer(core, balanced);
  const TreeOptions options{.most_nodes = tuning::tree::kMostNodesOfClosest, .stage = "infeasibility"};
  return BranchAndBound(core, root, options, std::move(start), monitor);
}

}  // namespace

std::optional<Infeasibility> FindUnmeetableBudget(const Problem& problem) {
  std::vector<double> least(problem.budgets.size(), 0.0);
  for (const auto& group : problem.groups) {
    auto cheapest = BudgetedCosts(problem, group.choices[0]);
    for (const auto& choice : group.choices) {
      const auto costs = BudgetedCosts(problem, choice);
      for (std::size_t i = 0; i < least.size(); ++i) cheapest[i] = std::min(cheapest[i], costs[i]);
    }
    for (std::size_t i = 0; i < least.size(); ++i) least[i] += cheapest[i];
  }
  std::optional<Infeasibility> worst;
  double worst_overrun = 0;
  auto spent = least.begin();
  for (const auto& [cost, limit] : problem.budgets) {
    const double least_spent = *spent++;
    const double overrun = Overrun(least_spent, limit);
    if (overrun <= worst_overrun) continue;
    worst_overrun = overrun;
    worst = Infeasibility{.budget = cost,
                          .limit = limit,
                          .least = least_spent,
                          .jointly = false,
                          .cheapest = CheapestPlan(problem, cost)};
  }
  return worst;
}

Explanation ExplainJointInfeasibility(const Problem& problem, Monitor& monitor) {
  TreeResult closest = ClosestPlan(problem, monitor);
  Infeasibility why;
  why.jointly = true;
  why.cheapest = std::move(closest.best.choices);
  double worst_overrun = -1;
  for (const auto& [cost, limit] : problem.budgets) {
    const double spent = Spent(problem, cost, why.cheapest);
    const double overrun = Overrun(spent, limit);
    if (overrun <= worst_overrun) continue;
    worst_overrun = overrun;
    why.budget = cost;
    why.limit = limit;
    why.least = spent;
  }
  return {std::move(why), closest.nodes};
}

}  // namespace bitplan::search
