#include "search/brute_force.h"

#include <algorithm>
#include <limits>

namespace bitplan::search_test {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Counts `choices` up like a number whose digits have as many values as the groups have choices; false after the last.
bool Next(const Problem& problem, std::vector<std::size_t>& choices) {
  for (std::size_t g = 0; g < choices.size(); ++g) {
    if (++choices[g] < problem.groups[g].choices.size()) return true;
    choices[g] = 0;
  }
  return false;
}

double Peak(const Problem& problem, const std::vector<std::size_t>& choices) {
  double peak = 0;
  for (const auto& [cost, limit] : problem.budgets) {
    const double spent = Spent(problem, cost, choices);
    peak = std::max(peak, limit > 0 ? spent / limit : (spent > 0 ? kInfinity : 0.0));
  }
  return peak;
}

}  // namespace

double Spent(const Problem& problem, const std::string& cost, const std::vector<std::size_t>& choices) {
  double sum = 0;
  for (std::size_t g = 0; g < choices.size(); ++g) sum += problem.groups[g].choices.at(choices[g]).costs.at(cost);
  return sum;
}

double Objective(const Problem& problem, const std::vector<std::size_t>& choices) {
  double sum = 0;
  for (std::size_t g = 0; g < choices.size(); ++g) sum += problem.groups[g].choices.at(choices[g]).objective;
  return sum;
}

bool WithinBudgets(const Problem& problem, const std::vector<std::size_t>& choices) {
  return std::all_of(problem.budgets.begin(), problem.budgets.end(), [&](const auto& budget) {
    return Spent(problem, budget.first, choices) <= budget.second * (1 + 1e-9);
  });
}

Truth BruteForce(const Problem& problem) {
  Truth truth{.feasible = false, .optimum = kInfinity, .least = {}, .least_peak = kInfinity};
  for (const auto& [cost, limit] : problem.budgets) truth.least[cost] = kInfinity;
  std::vector<std::size_t> choices(problem.groups.size(), 0);
  do {
    for (auto& [cost, least] : truth.least) least = std::min(least, Spent(problem, cost, choices));
    truth.least_peak = std::min(truth.least_peak, Peak(problem, choices));
    if (!WithinBudgets(problem, choices)) continue;
    truth.feasible = true;
    truth.optimum = std::min(truth.optimum, Objective(problem, choices));
  } while (Next(problem, choices));
  return truth;
}

}  // namespace bitplan::search_test
