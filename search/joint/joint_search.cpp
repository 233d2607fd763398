#include "joint/joint_search.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "bitplan/error.h"
#include "heuristics/start.h"
#include "joint/convex.h"
#include "joint/joint_objective.h"
#include "problem/joint_term.h"
#include "search/outcome.h"
#include "tree/feasibility.h"

namespace bitplan::search {
namespace {

std::unique_ptr<JointObjective> ObjectiveOver(const Joint& joint, const Problem& problem,
                                              const std::vector<std::size_t>& numbers) {
  std::vector<double> all;
  for (const auto& group : problem.groups)
    for (const auto& choice : group.choices) all.push_back(choice.objective);
  Eigen::VectorXd linear(static_cast<Eigen::Index>(numbers.size()));
  std::vector<Together> parts;
  for (const std::size_t number : numbers) {
    linear[static_cast<Eigen::Index>(parts.size())] = all[number];
    parts.push_back(joint.parts[number]);
  }
  return MakeJointObjective(joint.term, joint.choices, std::move(linear), parts);
}

/// `problem` with the joint term charged to every choice as if the others had none.
Problem SeparableOf(const Problem& problem, const Joint& joint) {
  std::vector<std::size_t> all(problem.ChoiceCount());
  std::iota(all.begin(), all.end(), std::size_t{0});
  const auto objective = ObjectiveOver(joint, problem, all);
  Problem separable{problem.name, problem.objective, problem.groups, problem.budgets};
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

double LeastObjective(const Problem& problem, const Joint& joint) {
  double least = LeastOf(joint.term, joint.groups);
  for (const auto& group : problem.groups) {
    const auto less = [](const Choice& a, const Choice& b) { return a.objective < b.objective; };
    least += std::min_element(group.choices.begin(), group.choices.end(), less)->objective;
  }
  return least;
}

/// The plan that takes choices of the term, one for each of its groups: `numbers`, ascending.
CorePlan PlanFrom(const std::vector<std::size_t>& numbers, const Problem& problem, const Joint& joint,
                  const Core& core) {
  std::vector<std::size_t> choices;
  std::size_t first = 0;
  for (const auto& group : problem.groups) {
    for (std::size_t c = 0; c < group.choices.size(); ++c) {
      Together parts = joint.parts[first + c];
      std::sort(parts.begin(), parts.end());
      if (!std::includes(numbers.begin(), numbers.end(), parts.begin(), parts.end())) continue;
      choices.push_back(c);
      break;
    }
    first += group.choices.size();
  }
  const CorePlan plan = choices.size() == core.groups() ? PlanOf(core, choices) : CorePlan();
  if (plan.empty() || ChoicesOf(core, plan) != choices || core.Value(plan) == kInfinity)
    throw Error("the plan to start from breaks a rule or is not within the budgets");
  return plan;
}

}  // namespace

Solution SolveJoint(const Problem& problem, const Joint& joint, const SearchOptions& options, Monitor& monitor) {
  const Core core = BuildCore(SeparableOf(problem, joint), Goal::Loss, Dominated::Kept);
  const double floor = LeastObjective(problem, joint);
  Start start;
  CorePlan plan;
  if (joint.start) {
    plan = PlanFrom(joint.start->plan, problem, joint, core);
  } else {
    start = FindStart(problem, core, SolveRoot(core, monitor), floor, monitor);
    if (start.without) return *start.without;
    plan = PlanOf(core, start.plan.choices);
  }
  const auto objective = ObjectiveOver(joint, problem, FileOrder(problem, core));
  const JointLimits limits{GapToReach(options),
                           joint.start ? joint.start->most_nodes : std::numeric_limits<std::int64_t>::max()};
  const JointResult result = SearchConvexly(core, *objective, std::move(plan), floor, limits, monitor);
  Outcome outcome{ChoicesOf(core, result.plan), result.value,    result.bound,
                  result.nodes + start.nodes,   result.complete, core.PricesInProblem(result.multipliers, 1)};
  return Describe(problem, std::move(outcome), options.gap);
}

}  // namespace bitplan::search
