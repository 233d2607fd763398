#include "bitplan/problem.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string_view>

#include "bitplan/error.h"
#include "search/joint_term.h"

namespace bitplan {
namespace {

std::vector<std::string> Names(const std::map<std::string, double>& costs) {
  std::vector<std::string> names;
  for (const auto& [name, value] : costs) names.push_back(name);
  return names;
}

void CheckChoice(const Group& group, const Choice& choice, const std::vector<std::string>& costs) {
  const auto where = fmt::format("choice '{}' of group '{}'", choice.name, group.name);
  if (!std::isfinite(choice.objective))
    throw Error(fmt::format("{}: objective is {}, must be a finite number", where, choice.objective));
  for (const auto& [name, value] : choice.costs)
    if (!std::isfinite(value) || value < 0)
      throw Error(fmt::format("{}: cost '{}' is {}, must be a finite number of at least 0", where, name, value));
  for (const auto& name : costs)
    if (!choice.costs.contains(name))
      throw Error(
          fmt::format("{}: cost '{}' is missing; every choice has the costs {}", where, name, fmt::join(costs, ", ")));
  for (const auto& [name, value] : choice.costs)
    if (std::find(costs.begin(), costs.end(), name) == costs.end())
      throw Error(fmt::format(
          "{}: cost '{}' is one that the first choice of the problem lacks; every choice has the same costs", where,
          name));
}

void CheckGroup(const Group& group, const std::vector<std::string>& costs) {
  if (group.choices.empty()) throw Error(fmt::format("group '{}' has no choices, needs at least one", group.name));
  std::set<std::string_view> seen;
  for (const auto& choice : group.choices) {
    if (!seen.insert(choice.name).second)
      throw Error(fmt::format("group '{}' has two choices named '{}', names must differ", group.name, choice.name));
    CheckChoice(group, choice, costs);
  }
}

void CheckBudgets(const std::map<std::string, double>& budgets, const std::vector<std::string>& costs) {
  for (const auto& [name, limit] : budgets) {
    if (std::find(costs.begin(), costs.end(), name) == costs.end())
      throw Error(fmt::format("budget '{}' names a cost that no choice has; known costs: {}", name,
                              costs.empty() ? "none" : fmt::format("{}", fmt::join(costs, ", "))));
    if (!std::isfinite(limit) || limit < 0)
      throw Error(fmt::format("budget '{}' is {}, must be a finite number of at least 0", name, limit));
  }
}

/// Sums over a plan must not overflow: neither the objective nor a cost.
void CheckSums(const Problem& problem, const std::vector<std::string>& costs) {
  double objective = 0;
  std::map<std::string, double> totals;
  for (const auto& group : problem.groups) {
    double largest = 0;
    std::map<std::string, double> dearest;
    for (const auto& choice : group.choices) {
      largest = std::max(largest, std::abs(choice.objective));
      for (const auto& [name, value] : choice.costs) dearest[name] = std::max(dearest[name], value);
    }
    objective += largest;
    for (const auto& [name, value] : dearest) totals[name] += value;
  }
  if (!std::isfinite(objective))
    throw Error("objectives are too large: their sum over the groups is not a finite number");
  for (const auto& name : costs)
    if (!std::isfinite(totals[name]))
      throw Error(fmt::format("cost '{}' is too large: its sum over the groups is not a finite number", name));
}

}  // namespace

void Problem::Validate() const {
  if (groups.empty()) throw Error("problem has no groups, needs at least one");
  std::set<std::string_view> seen;
  for (const auto& group : groups)
    if (!seen.insert(group.name).second)
      throw Error(fmt::format("problem has two groups named '{}', names must differ", group.name));
  const auto costs = groups[0].choices.empty() ? std::vector<std::string>{} : Names(groups[0].choices[0].costs);
  for (const auto& group : groups) CheckGroup(group, costs);
  CheckBudgets(budgets, costs);
  CheckSums(*this, costs);
  if (joint) search::CheckJointTerm(*joint, ChoiceCount());
}

std::size_t Problem::ChoiceCount() const {
  std::size_t count = 0;
  for (const auto& group : groups) count += group.choices.size();
  return count;
}

}  // namespace bitplan
