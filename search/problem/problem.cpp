#include "bitplan/problem.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string_view>

#include "bitplan/error.h"
#include "problem/joint_term.h"
#include "text/shortened.h"

namespace bitplan {
namespace {

std::vector<std::string> Names(const std::map<std::string, double>& costs) {
  std::vector<std::string> names;
  for (const auto& [name, value] : costs) names.push_back(name);
  return names;
}

void CheckChoice(const Group& group, const Choice& choice, const std::vector<std::string>& costs) {
  const auto where = [&] { return fmt::format("choice '{}' of group '{}'", choice.name, group.name); };
  if (!std::isfinite(choice.objective))
    throw Error(fmt::format("{}: objective is {}, must be a finite number", where(), choice.objective));
  if (!std::isfinite(choice.standard_error) || choice.standard_error < 0)
    throw Error(
        fmt::format("{}: standard_error is {}, must be a finite number of at least 0", where(), choice.standard_error));
  for (const auto& [name, value] : choice.costs)
    if (!std::isfinite(value) || value < 0)
      throw Error(fmt::format("{}: cost '{}' is {}, must be a finite number of at least 0", where(), name, value));
  const auto same = [](const auto& cost, const std::string& name) { return cost.first == name; };
  if (std::equal(choice.costs.begin(), choice.costs.end(), costs.begin(), costs.end(), same)) return;  // both sorted
  for (const auto& name : costs)
    if (!choice.costs.contains(name))
      throw Error(fmt::format("{}: cost '{}' is missing; every choice has the costs {}", where(), name,
                              text::Shortened(costs)));
  for (const auto& [name, value] : choice.costs)
    if (std::find(costs.begin(), costs.end(), name) == costs.end())
      throw Error(fmt::format(
          "{}: cost '{}' is one that the first choice of the problem lacks; every choice has the same costs", where(),
          name));
}

bool IsPossible(const LayerShape& shape) {
  return std::min({shape.input_channels, shape.output_channels, shape.kernel_size, shape.feature_size,
                   shape.parameters}) >= 1 &&
         shape.stride >= 0;
}

void CheckGroup(const Group& group, const std::vector<std::string>& costs) {
  if (group.choices.empty()) throw Error(fmt::format("group '{}' has no choices, needs at least one", group.name));
  if (group.shape && !IsPossible(*group.shape))
    throw Error(fmt::format("the shape of group '{}' has a number below 1; only a stride may be 0", group.name));
  std::set<std::string_view> seen;
  for (const auto& choice : group.choices) {
    if (!seen.insert(choice.name).second)
      throw Error(fmt::format("group '{}' has two choices named '{}', names must differ", group.name, choice.name));
    CheckChoice(group, choice, costs);
  }
}

/// `what`: budget or price.
void CheckPerCost(const char* what, const std::map<std::string, double>& values,
                  const std::vector<std::string>& costs) {
  for (const auto& [name, value] : values) {
    if (std::find(costs.begin(), costs.end(), name) == costs.end())
      throw Error(fmt::format("{} '{}' names a cost that no choice has; known costs: {}", what, name,
                              costs.empty() ? "none" : text::Shortened(costs)));
    if (!std::isfinite(value) || value < 0)
      throw Error(fmt::format("{} '{}' is {}, must be a finite number of at least 0", what, name, value));
  }
}

/// Sums over a plan must not overflow: neither the objective nor a cost.
void CheckSums(const Problem& problem, const std::vector<std::string>& costs) {
  double objective = 0;
  std::vector<double> totals(costs.size(), 0.0);  // by cost, in the order of the names, which all choices share by now
  for (const auto& group : problem.groups) {
    double largest = 0;
    std::vector<double> dearest(costs.size(), 0.0);
    for (const auto& choice : group.choices) {
      double charged = std::abs(choice.objective);
      for (const auto& [name, price] : problem.prices) charged += price * choice.costs.at(name);
      largest = std::max(largest, charged);
      std::size_t i = 0;
      for (const auto& [name, value] : choice.costs) {
        dearest[i] = std::max(dearest[i], value);
        ++i;
      }
    }
    objective += largest;
    for (std::size_t i = 0; i < costs.size(); ++i) totals[i] += dearest[i];
  }
  if (!std::isfinite(objective))
    throw Error("objectives and prices are too large: their sum over the groups is not a finite number");
  for (std::size_t i = 0; i < costs.size(); ++i)
    if (!std::isfinite(totals[i]))
      throw Error(fmt::format("cost '{}' is too large: its sum over the groups is not a finite number", costs[i]));
}

void CheckRule(const Problem& problem, std::size_t number) {
  const Rule& rule = problem.rules[number];
  if (rule.groups.empty()) throw Error(fmt::format("rules[{}] has no groups, needs at least one", number));
  if (rule.allowed.empty()) throw Error(fmt::format("rules[{}] allows nothing, needs at least one row", number));
  for (const auto& row : rule.allowed)
    if (row.size() != rule.groups.size())
      throw Error(fmt::format("rules[{}]: the row '{}' has {} choices, must have one for each of {} groups", number,
                              text::Shortened(row), row.size(), rule.groups.size()));
  for (std::size_t m = 0; m < rule.groups.size(); ++m) {
    const std::string& name = rule.groups[m];
    if (std::count(rule.groups.begin(), rule.groups.end(), name) > 1)
      throw Error(fmt::format("rules[{}] names group '{}' twice", number, name));
    const auto group = std::find_if(problem.groups.begin(), problem.groups.end(),
                                    [&](const Group& each) { return each.name == name; });
    if (group == problem.groups.end())
      throw Error(fmt::format("rules[{}] names group '{}', which the problem does not have", number, name));
    for (const auto& row : rule.allowed)
      if (std::none_of(group->choices.begin(), group->choices.end(),
                       [&](const Choice& choice) { return choice.name == row[m]; }))
        throw Error(
            fmt::format("rules[{}] names choice '{}' of group '{}', which does not have it", number, row[m], name));
  }
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
  CheckPerCost("budget", budgets, costs);
  CheckPerCost("price", prices, costs);
  CheckSums(*this, costs);
  for (std::size_t r = 0; r < rules.size(); ++r) CheckRule(*this, r);
  if (joint) search::CheckJointTerm(*joint, ChoiceCount());
}

std::size_t Problem::ChoiceCount() const {
  std::size_t count = 0;
  for (const auto& group : groups) count += group.choices.size();
  return count;
}

}  // namespace bitplan
