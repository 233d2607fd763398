#include "budgets.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "bitplan/error.h"
#include "text/shortened.h"

namespace bitplan::cost {

namespace {

/// The keys that a budget on `cost` holds for: itself, or its moments.
std::vector<std::string> KeysOf(const std::string& cost, const std::map<std::string, double>& costs) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : costs)
    if (key == cost || (key.starts_with(cost) && key[cost.size()] == '@')) keys.push_back(key);
  return keys;
}

[[noreturn]] void RejectUnknown(const BudgetSpec& spec, const std::map<std::string, double>& costs) {
  std::set<std::string> names;
  for (const auto& [key, value] : costs) names.insert(key.substr(0, key.find('@')));
  const std::string& written = spec.written.empty() ? spec.cost : spec.written;
  throw Error(fmt::format(
      "budget {}: there is no such cost{}; there are {}; those of a device come from bitplan profile, by --costs",
      written, written == spec.cost ? "" : fmt::format(", nor {}", spec.cost), text::Shortened(names)));
}

/// The cost that a budget is on: `spec.cost`, or where there is none the table that is called as the user wrote it.
std::string CostOf(const BudgetSpec& spec, const std::map<std::string, double>& costs) {
  if (!KeysOf(spec.cost, costs).empty()) return spec.cost;
  if (spec.written.empty() || KeysOf(spec.written, costs).empty()) RejectUnknown(spec, costs);
  if (!spec.unit.empty())
    throw Error(
        fmt::format("budget {0}: its table is called {0}, which does not say that it is in units of {1}; give a "
                    "number in the table's own unit, or call the table {2}",
                    spec.written, spec.unit, spec.cost));
  return spec.written;
}

/// The most that a cost can come to.
double MostOf(const std::string& key, const std::vector<Group>& groups) {
  double most = 0;
  for (const Group& group : groups) {
    double largest = 0;
    for (const Choice& choice : group.choices) largest = std::max(largest, choice.costs.at(key));
    most += largest;
  }
  return most;
}

}  // namespace

std::map<std::string, double> BudgetsOf(const Sensitivity& sensitivity, const std::vector<BudgetSpec>& specs,
                                        const std::vector<Group>& groups) {
  const std::map<std::string, double>& costs = groups.front().choices.front().costs;
  const auto float_costs = WithPeaks(FloatCosts(sensitivity));
  std::map<std::string, double> budgets;
  for (const BudgetSpec& spec : specs) {
    const std::string cost = CostOf(spec, costs);
    const std::vector<std::string> keys = KeysOf(cost, costs);
    double value = spec.value;
    if (spec.percent) {
      const auto float_cost = float_costs.find(cost.substr(0, cost.find('@')));
      if (float_cost == float_costs.end())
        throw Error(
            fmt::format("budget {}: its table has no entry at 32 bits to take a percentage of; give a number", cost));
      value *= float_cost->second / 100;
    }
    std::map<std::string, double> most;
    for (const std::string& key : keys) most[key] = MostOf(key, groups);
    const std::string largest = std::max_element(most.begin(), most.end(), [](const auto& a, const auto& b) {
                                  return a.second < b.second;
                                })->first;
    for (const std::string& key : keys)
      if ((key == largest || most[key] > value) && !budgets.emplace(key, value).second)
        throw Error(fmt::format("budget {} is given twice", cost));
  }
  return budgets;
}

}  // namespace bitplan::cost
