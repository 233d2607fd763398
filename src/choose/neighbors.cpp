#include "neighbors.h"

#include <algorithm>
#include <map>
#include <string>

#include "bitplan/cost.h"
#include "search/core.h"
#include "search/outcome.h"

namespace bitplan::choose {

namespace {

/// Widths of a choice: the weights of the group's members, then the input's.
std::vector<int> WidthsOf(const Group& group, std::size_t choice) {
  std::vector<int> widths;
  for (const LayerBits& bits : BitsOfChoice(group, group.choices[choice])) {
    widths.push_back(bits.weight_bits);
    widths.push_back(bits.activation_bits);
  }
  return widths;
}

bool IsBetween(const std::vector<int>& widths, const std::vector<int>& a, const std::vector<int>& b) {
  for (std::size_t i = 0; i < widths.size(); ++i)
    if (widths[i] < std::min(a[i], b[i]) || widths[i] > std::max(a[i], b[i])) return false;
  return true;
}

}  // namespace

std::vector<std::size_t> Changed(std::vector<std::size_t> choices, const std::vector<Change>& changes) {
  for (const Change& change : changes) choices[change.group] = change.choice;
  return choices;
}

std::vector<Change> NeighborsOf(const Problem& problem, const std::vector<std::size_t>& choices) {
  std::vector<Change> neighbors;
  for (std::size_t g = 0; g < choices.size(); ++g) {
    std::vector<std::vector<int>> widths;
    for (std::size_t c = 0; c < problem.groups[g].choices.size(); ++c) widths.push_back(WidthsOf(problem.groups[g], c));
    const std::vector<int>& taken = widths[choices[g]];
    for (std::size_t c = 0; c < widths.size(); ++c) {
      const auto stands_between = [&](const std::vector<int>& other) {
        return other != taken && other != widths[c] && IsBetween(other, taken, widths[c]);
      };
      if (widths[c] != taken && std::none_of(widths.begin(), widths.end(), stands_between)) neighbors.push_back({g, c});
    }
  }
  return neighbors;
}

bool IsAllowed(const Problem& problem, const std::vector<std::size_t>& choices) {
  const std::map<std::string, double> spent = search::CostsOf(problem, choices);
  std::map<std::string, std::string> taken;
  for (std::size_t g = 0; g < choices.size(); ++g)
    taken[problem.groups[g].name] = problem.groups[g].choices[choices[g]].name;
  const bool within = std::all_of(problem.budgets.begin(), problem.budgets.end(), [&](const auto& budget) {
    return spent.at(budget.first) <= LimitWithTolerance(budget.second);
  });
  return within && std::all_of(problem.rules.begin(), problem.rules.end(), [&](const Rule& rule) {
           std::vector<std::string> row;
           for (const std::string& group : rule.groups) row.push_back(taken[group]);
           return std::find(rule.allowed.begin(), rule.allowed.end(), row) != rule.allowed.end();
         });
}

}  // namespace bitplan::choose
