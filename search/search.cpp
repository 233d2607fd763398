#include "bitplan/search.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "bitplan/error.h"
#include "search/convex.h"
#include "search/exact.h"
#include "search/exchange.h"
#include "search/feasibility.h"
#include "search/greedy.h"
#include "search/infeasibility.h"
#include "search/joint_objective.h"
#include "search/joint_term.h"

namespace bitplan {
namespace search {
namespace {

/// A bound closer than this, relative to the objective, has met it but for rounding.
constexpr double kRounding = 1e-12;

/// Gaps of 1 and above would let any plan pass.
constexpr double kWidestGap = 0.99;

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

Solution Unknown(double bound, std::int64_t nodes) {
  Solution solution;
  solution.status = SolutionStatus::Unknown;
  solution.bound = bound;
  solution.gap = kInfinity;
  solution.nodes = nodes;
  return solution;
}

/// What was found, in the problem's own numbers.
struct Outcome {
  std::vector<std::size_t> choices;
  double objective = 0, bound = 0;
  std::int64_t nodes = 0;
  bool complete = false;
};

Solution Describe(const Problem& problem, const Outcome& outcome, double gap) {
  Solution solution;
  solution.choices = outcome.choices;
  solution.objective = outcome.objective;
  solution.costs = CostsOf(problem, solution.choices);
  solution.bound = std::min(outcome.bound, solution.objective);
  solution.nodes = outcome.nodes;
  solution.gap = RelativeGap(solution.objective, solution.bound);
  if (solution.gap <= kRounding || (outcome.complete && gap == 0)) {
    solution.bound = solution.objective;
    solution.gap = 0;
  }
  if (outcome.complete) solution.gap = std::min(solution.gap, gap);
  solution.status = solution.gap <= gap ? SolutionStatus::Optimal : SolutionStatus::Feasible;
  return solution;
}

/// A plan to start from, or what is known when there is none.
struct Start {
  Incumbent plan;
  std::int64_t nodes = 0;
  std::optional<Solution> without;
};

Start FindStart(const Problem& problem, const Core& core, const Node& root, double bound, Monitor& monitor) {
  Start start;
  if (!root.relaxation.infeasible) start.plan = SearchGreedily(core, root.relaxation.multipliers, monitor);
  if (!start.plan.choices.empty()) return start;
  const Feasibility found = FindFeasiblePlan(core, root, monitor);
  start.nodes = found.nodes;
  if (found.proven_infeasible) {
    start.without = Infeasible(ExplainJointInfeasibility(problem, monitor), found.nodes);
  } else if (found.plan.empty()) {
    start.without = Unknown(bound, found.nodes);
  } else {
    start.plan.Offer(core, found.plan);
    start.plan.Offer(core, Exchange(core, found.plan, root.relaxation.multipliers, monitor));
  }
  return start;
}

Solution SolveSeparable(const Problem& problem, const SearchOptions& options, Monitor& monitor) {
  const Core core = BuildCore(problem, Goal::Loss);
  const Node root = SolveRoot(core, monitor);
  const auto in_problem = [&](double bound) { return bound * core.loss_scale + core.loss_shift; };
  Start start = FindStart(problem, core, root, in_problem(root.bound), monitor);
  if (start.without) return *start.without;
  TreeResult result;
  result.bound = root.bound;
  result.best = std::move(start.plan);
  const double gap = std::min(options.gap, kWidestGap);
  if (options.method != SearchMethod::Greedy) result = SearchExactly(core, root, gap, std::move(result.best), monitor);
  const Outcome outcome{result.best.choices, ObjectiveOf(problem, result.best.choices), in_problem(result.bound),
                        result.nodes + start.nodes, result.complete};
  return Describe(problem, outcome, options.gap);
}

/// `problem` with its joint term charged to every choice as if the others had none.
Problem SeparableOf(const Problem& problem) {
  std::vector<std::size_t> all(problem.ChoiceCount());
  std::iota(all.begin(), all.end(), std::size_t{0});
  const auto objective = MakeJointObjective(problem, all);
  Problem separable{problem.name, problem.objective, problem.groups, problem.budgets, {}};
  Index number = 0;
  for (auto& group : separable.groups)
    for (auto& choice : group.choices) choice.objective = objective->Own(number++);
  return separable;
}

/// Numbers of the core's columns among all choices of the problem.
std::vector<std::size_t> FileOrder(const Problem& problem, const Core& core) {
  std::vector<std::size_t> first{0};
  for (const auto& group : problem.groups) first.push_back(first.back() + group.choices.size());
  std::vector<std::size_t> numbers;
  for (Index c = 0; c < core.columns(); ++c) numbers.push_back(first[core.group[c]] + core.choice[c]);
  return numbers;
}

double LeastObjective(const Problem& problem) {
  double least = LeastOf(*problem.joint, problem.groups.size());
  for (const auto& group : problem.groups) {
    const auto less = [](const Choice& a, const Choice& b) { return a.objective < b.objective; };
    least += std::min_element(group.choices.begin(), group.choices.end(), less)->objective;
  }
  return least;
}

Solution SolveJoint(const Problem& problem, const SearchOptions& options, Monitor& monitor) {
  const Core core = BuildCore(SeparableOf(problem), Goal::Loss, Dominated::Kept);
  const Node root = SolveRoot(core, monitor);
  const double floor = LeastObjective(problem);
  const Start start = FindStart(problem, core, root, floor, monitor);
  if (start.without) return *start.without;
  const auto objective = MakeJointObjective(problem, FileOrder(problem, core));
  const JointTreeResult result = SearchConvexly(core, *objective, PlanOf(core, start.plan.choices), floor,
                                                std::min(options.gap, kWidestGap), monitor);
  const Outcome outcome{ChoicesOf(core, result.plan), result.value, result.bound, result.nodes + start.nodes,
                        result.complete};
  return Describe(problem, outcome, options.gap);
}

Solution Solve(const Problem& problem, const SearchOptions& options, Monitor& monitor) {
  if (problem.joint && options.method != SearchMethod::Convex)
    throw Error(fmt::format("method {} leaves the joint term out; a problem that has one takes method convex",
                            ToString(options.method)));
  if (const auto why = FindUnmeetableBudget(problem)) return Infeasible(*why, 0);
  return problem.joint ? SolveJoint(problem, options, monitor) : SolveSeparable(problem, options, monitor);
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
