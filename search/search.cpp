#include "bitplan/search.h"

#include <fmt/format.h>

#include <cmath>
#include <optional>

#include "bitplan/error.h"
#include "exact.h"
#include "feasibility.h"
#include "infeasibility.h"
#include "joint_search.h"
#include "rounding.h"
#include "search/linked_groups.h"
#include "search/outcome.h"
#include "search/warm_start.h"
#include "start.h"

namespace bitplan {
namespace search {
namespace {

Solution SolveSeparable(const Problem& problem, const SearchOptions& options, Monitor& monitor) {
  const Core core = BuildCore(problem, Goal::Loss);
  const Node root = SolveRoot(core, monitor);
  const auto in_problem = [&](double bound) { return bound * core.loss_scale + core.loss_shift; };
  Start start;
  if (options.method != SearchMethod::Greedy && !root.relaxation.infeasible)
    start.plan.Offer(core, Round(core, root.part, root.relaxation, kInfinity));  // quicker than the greedy search
  if (start.plan.choices.empty()) start = FindStart(problem, core, root, in_problem(root.bound), monitor);
  if (start.without) return *start.without;
  TreeResult result;
  result.bound = root.bound;
  result.best = std::move(start.plan);
  if (options.method != SearchMethod::Greedy)
    result = SearchExactly(core, root, GapToReach(options), std::move(result.best), monitor);
  Outcome outcome{result.best.choices,      ObjectiveOf(problem, result.best.choices),
                  in_problem(result.bound), result.nodes + start.nodes,
                  result.complete,          core.PricesInProblem(root.relaxation.multipliers, core.loss_scale)};
  return Describe(problem, std::move(outcome), options.gap);
}

/// `problem` has no rules and no prices; its own joint term plays no part.
Solution Solve(const Problem& problem, const std::optional<Joint>& joint, const SearchOptions& options,
               Monitor& monitor) {
  if (const auto why = FindUnmeetableBudget(problem)) return Infeasible(*why, 0);
  return joint ? SolveJoint(problem, *joint, options, monitor) : SolveSeparable(problem, options, monitor);
}

std::optional<Joint> JointOf(const Problem& problem, std::vector<search::Together> parts,
                             const std::optional<WarmStart>& start) {
  if (!problem.joint) return std::nullopt;
  return Joint{*problem.joint, problem.ChoiceCount(), problem.groups.size(), std::move(parts), start};
}

/// Links what rules link, solves that, and tells the answer in terms of `problem`.
Solution SolveLinked(const Problem& problem, const std::optional<WarmStart>& start, const SearchOptions& options,
                     Monitor& monitor) {
  LinkedGroups linked = LinkGroups(problem);
  Solution solution = Solve(linked.problem, JointOf(problem, linked.parts, start), options, monitor);
  solution.infeasibility.cheapest = linked.Expand(problem, solution.infeasibility.cheapest);
  if (solution.choices.empty()) return solution;
  solution.choices = linked.Expand(problem, solution.choices);
  solution.objective = ObjectiveOf(problem, solution.choices);  // in the problem's own order of summation
  solution.costs = CostsOf(problem, solution.choices);
  solution.bound = solution.gap == 0 ? solution.objective : std::min(solution.bound, solution.objective);
  return solution;
}

Solution Solve(const Problem& problem, const std::optional<WarmStart>& start, const SearchOptions& options,
               Monitor& monitor) {
  if (options.method == SearchMethod::Agent)
    throw Error("the method agent is SearchByAgent's; Search takes greedy, exact and convex");
  if (problem.joint && options.method != SearchMethod::Convex)
    throw Error(fmt::format("method {} leaves the joint term out; a problem that has one takes method convex",
                            ToString(options.method)));
  if (!problem.rules.empty() || !problem.prices.empty()) return SolveLinked(problem, start, options, monitor);
  return Solve(problem, JointOf(problem, EachAlone(problem.joint ? problem.ChoiceCount() : 0), start), options,
               monitor);
}

Solution CheckAndSolve(const Problem& problem, const std::optional<WarmStart>& start, const SearchOptions& options) {
  options.Validate();
  problem.Validate();
  Monitor monitor(options);
  monitor.Expired();
  Solution solution = Solve(problem, start, options, monitor);
  solution.method = options.method;
  solution.seconds = monitor.Seconds();
  return solution;
}

}  // namespace

Solution SearchFrom(const Problem& problem, const WarmStart& start, const SearchOptions& options) {
  if (!problem.joint) throw Error("a search begins from a plan only where the problem has a joint term");
  ObjectiveOf(problem, start.plan);  // checks its choices
  WarmStart numbered{{}, start.most_nodes};
  std::size_t first = 0;
  for (std::size_t g = 0; g < start.plan.size(); ++g) {
    numbered.plan.push_back(first + start.plan[g]);
    first += problem.groups[g].choices.size();
  }
  SearchOptions convex = options;
  convex.method = SearchMethod::Convex;
  return CheckAndSolve(problem, numbered, convex);
}

}  // namespace search

void SearchOptions::Validate() const { Limits().Validate(); }

void SearchLimits::Validate() const {
  if (!std::isfinite(gap) || gap < 0) throw Error(fmt::format("gap is {}, must be a finite number of at least 0", gap));
  if (!(time_limit_seconds > 0))
    throw Error(fmt::format("time_limit_seconds is {}, must be above 0", time_limit_seconds));
}

Solution Search(const Problem& problem, const SearchOptions& options) {
  return search::CheckAndSolve(problem, std::nullopt, options);
}

}  // namespace bitplan
