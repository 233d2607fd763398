#include "search/infeasibility.h"

#include <algorithm>
#include <cmath>

#include "search/feasibility.h"

namespace bitplan::search {
namespace {

/// That there is no plan is proven by then; how close one comes is worth this much effort and no more.
constexpr std::int64_t kMostNodes = 20000;

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
    const auto less = [&](const Choice& a, const Choice& b) {
      const double cost_a = a.costs.at(cost), cost_b = b.costs.at(cost);
      return cost_a < cost_b || (cost_a == cost_b && a.objective < b.objective);
    };
    const auto best = std::min_element(group.choices.begin(), group.choices.end(), less);
    plan.push_back(static_cast<std::size_t>(best - group.choices.begin()));
  }
  return plan;
}

/// The plan that minimizes, or comes near to minimizing, the largest share of a budget that is spent.
std::vector<std::size_t> ClosestPlan(const Problem& problem, Monitor& monitor) {
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
  const TreeOptions options{.most_nodes = kMostNodes, .stage = "infeasibility"};
  return BranchAndBound(core, root, options, std::move(start), monitor).best.choices;
}

}  // namespace

std::optional<Infeasibility> FindUnmeetableBudget(const Problem& problem) {
  std::optional<Infeasibility> worst;
  double worst_overrun = 0;
  for (const auto& [cost, limit] : problem.budgets) {
    const auto plan = CheapestPlan(problem, cost);
    const double least = Spent(problem, cost, plan);
    const double overrun = Overrun(least, limit);
    if (overrun <= worst_overrun) continue;
    worst_overrun = overrun;
    worst = Infeasibility{.budget = cost, .limit = limit, .least = least, .jointly = false, .cheapest = plan};
  }
  return worst;
}

Infeasibility ExplainJointInfeasibility(const Problem& problem, Monitor& monitor) {
  Infeasibility why;
  why.jointly = true;
  why.cheapest = ClosestPlan(problem, monitor);
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
  return why;
}

}  // namespace bitplan::search
