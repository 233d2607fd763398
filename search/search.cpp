#include "bitplan/search.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "bitplan/error.h"
#include "search/exact.h"
#include "search/exchange.h"
#include "search/feasibility.h"
#include "search/greedy.h"
#include "search/infeasibility.h"

namespace bitplan {
namespace search {
namespace {

/// A bound closer than this, relative to the objective, has met it but for rounding.
constexpr double kRounding = 1e-12;

/// Gaps of 1 and above would let any plan pass.
constexpr double kWidestGap = 0.99;

double ObjectiveOf(const Problem& problem, const std::vector<std::size_t>& choices) {
  double sum = 0;
  for (std::size_t g = 0; g < choices.size(); ++g) sum += problem.groups[g].choices[choices[g]].objective;
  return sum;
}

std::map<std::string, double> CostsOf(const Problem& problem, const std::vector<std::size_t>& choices) {
  std::map<std::string, double> costs;
  for (std::size_t g = 0; g < choices.size(); ++g)
    for (const auto& [name, value] : problem.groups[g].choices[choices[g]].costs) costs[name] += value;
  return costs;
}

double RelativeGap(double objective, double bound) {
  const double distance = std::max(objective - bound, 0.0);
  if (distance == 0) return 0;
  return std::min(distance / std::max(std::abs(objective), std::numeric_limits<double>::min()),
                  std::numeric_limits<double>::max());
}

Solution Infeasible(const Infeasibility& why, std::int64_t nodes) {
  Solution solution;
  solution.status = SolutionStatus::Infeasible;
  solution.infeasibility = why;
  solution.nodes = nodes;
  return solution;
}

Solution Unknown(const Core& core, double bound, std::int64_t nodes) {
  Solution solution;
  solution.status = SolutionStatus::Unknown;
  solution.bound = bound * core.loss_scale + core.loss_shift;
  solution.gap = kInfinity;
  solution.nodes = nodes;
  return solution;
}

/// What `result` amounts to in the problem's own numbers.
Solution Describe(const Problem& problem, const Core& core, const TreeResult& result, double gap) {
  Solution solution;
  solution.choices = result.best.choices;
  solution.objective = ObjectiveOf(problem, solution.choices);
  solution.costs = CostsOf(problem, solution.choices);
  solution.bound = std::min(result.bound * core.loss_scale + core.loss_shift, solution.objective);
  solution.nodes = result.nodes;
  solution.gap = RelativeGap(solution.objective, solution.bound);
  if (solution.gap <= kRounding || (result.complete && gap == 0)) {
    solution.bound = solution.objective;
    solution.gap = 0;
  }
  if (result.complete) solution.gap = std::min(solution.gap, gap);
  solution.status = solution.gap <= gap ? SolutionStatus::Optimal : SolutionStatus::Feasible;
  return solution;
}

Solution Solve(const Problem& problem, const SearchOptions& options, Monitor& monitor) {
  if (const auto why = FindUnmeetableBudget(problem)) return Infeasible(*why, 0);
  const Core core = BuildCore(problem, Goal::Loss);
  const Node root = SolveRoot(core, monitor);
  TreeResult result;
  result.bound = root.bound;
  if (!root.relaxation.infeasible) result.best = SearchGreedily(core, root.relaxation.multipliers, monitor);
  std::int64_t nodes = 0;
  if (result.best.choices.empty()) {
    const Feasibility found = FindFeasiblePlan(core, root, monitor);
    nodes = found.nodes;
    if (found.proven_infeasible) return Infeasible(ExplainJointInfeasibility(problem, monitor), nodes);
    if (found.plan.empty()) return Unknown(core, root.bound, nodes);
    result.best.Offer(core, found.plan);
    result.best.Offer(core, Exchange(core, found.plan, root.relaxation.multipliers, monitor));
  }
  const double gap = std::min(options.gap, kWidestGap);
  if (options.method == SearchMethod::Exact) result = SearchExactly(core, root, gap, std::move(result.best), monitor);
  result.nodes += nodes;
  return Describe(problem, core, result, options.gap);
}

}  // namespace
}  // namespace search

void SearchOptions::Validate() const {
  if (!std::isfinite(gap) || gap < 0) throw Error(fmt::format("gap is {}, must be a finite number of at least 0", gap));
  if (!(time_limit_seconds > 0))
    throw Error(fmt::format("time_limit_seconds is {}, must be above 0", time_limit_seconds));
}

Solution Search(const Problem& problem, const SearchOptions& options) {
  options.Validate();
  problem.Validate();
  search::Monitor monitor(options.time_limit_seconds, options.progress);
  monitor.Expired();
  Solution solution = search::Solve(problem, options, monitor);
  solution.method = options.method;
  solution.seconds = monitor.Seconds();
  return solution;
}

}  // namespace bitplan
