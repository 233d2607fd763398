#include "linked_search.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "search/linked_groups.h"
#include "search/outcome.h"
#include "tree/feasibility.h"
#include "tree/infeasibility.h"

namespace bitplan::search {
namespace {

Solution SolveFeasible(const Problem& problem, const std::optional<Joint>& joint, const SearchOptions& options,
                       LinkedSolver solve, Monitor& monitor) {
  if (const auto why = FindUnmeetableBudget(problem)) return Infeasible(*why, 0);
  return solve(problem, joint, options, monitor);
}

std::optional<Joint> JointOf(const Problem& problem, std::vector<Together> parts,
                             const std::optional<WarmStart>& start) {
  if (!problem.joint) return std::nullopt;
  return Joint{*problem.joint, problem.ChoiceCount(), problem.groups.size(), std::move(parts), start};
}

}  // namespace

Solution SolveLinked(const Problem& problem, const std::optional<WarmStart>& start, const SearchOptions& options,
                     LinkedSolver solve, Monitor& monitor) {
  if (problem.rules.empty() && problem.prices.empty())
    return SolveFeasible(problem, JointOf(problem, EachAlone(problem.joint ? problem.ChoiceCount() : 0), start),
                         options, solve, monitor);
  LinkedGroups linked = LinkGroups(problem);
  Solution solution = SolveFeasible(linked.problem, JointOf(problem, linked.parts, start), options, solve, monitor);
  solution.infeasibility.cheapest = linked.Expand(problem, solution.infeasibility.cheapest);
  if (solution.choices.empty()) return solution;
  solution.choices = linked.Expand(problem, solution.choices);
  solution.objective = ObjectiveOf(problem, solution.choices);  // in the problem's own order of summation
  solution.costs = CostsOf(problem, solution.choices);
  solution.bound = solution.gap == 0 ? solution.objective : std::min(solution.bound, solution.objective);
  return solution;
}

}  // namespace bitplan::search
