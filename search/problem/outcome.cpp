#include "search/outcome.h"

#include <cmath>
#include <limits>

#include "search/core.h"
#include "tuning.h"

namespace bitplan::search {
namespace {

double RelativeGap(double objective, double bound) {
  const double distance = std::max(objective - bound, 0.0);
  if (distance == 0) return 0;
  return std::min(distance / std::max(std::abs(objective), std::numeric_limits<double>::min()),
                  std::numeric_limits<double>::max());
}

}  // namespace

std::map<std::string, double> CostsOf(const Problem& problem, const std::vector<std::size_t>& choices) {
  std::map<std::string, double> costs;
  for (std::size_t g = 0; g < choices.size(); ++g)
    for (const auto& [name, value] : problem.groups[g].choices[choices[g]].costs) costs[name] += value;
  return costs;
}

Solution Infeasible(const Infeasibility& why, std::int64_t nodes) {
  Solution solution;
  solution.status = SolutionStatus::Infeasible;
  solution.infeasibility = why;
  solution.nodes = nodes;
  return solution;
}

Solution Unknown(double bound, std::int64_t nodes) {
  Solution solution;
  solution.status = SolutionStatus::Unknown;
  solution.bound = bound;
  solution.gap = kInfinity;
  solution.nodes = nodes;
  return solution;
}

Solution Describe(const Problem& problem, Outcome outcome, double gap) {
  Solution solution;
  solution.choices = std::move(outcome.choices);
  solution.shadow_prices = std::move(outcome.shadow_prices);
  for (const auto& [name, limit] : problem.budgets) solution.shadow_prices.try_emplace(name, 0.0);
  solution.objective = outcome.objective;
  solution.costs = CostsOf(problem, solution.choices);
  solution.bound = std::min(outcome.bound, solution.objective);
  solution.nodes = outcome.nodes;
  solution.gap = RelativeGap(solution.objective, solution.bound);
  if (solution.gap <= tuning::kRounding || (outcome.complete && gap == 0)) {
    solution.bound = solution.objective;
    solution.gap = 0;
  }
  if (outcome.complete) solution.gap = std::min(solution.gap, gap);
  solution.status = solution.gap <= gap ? SolutionStatus::Optimal : SolutionStatus::Feasible;
  return solution;
}

}  // namespace bitplan::search
