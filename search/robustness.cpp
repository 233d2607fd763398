#include "bitplan/robustness.h"

#include <fmt/format.h>

#include <random>

#include "bitplan/error.h"
#include "search/deadline.h"

namespace bitplan {
namespace {

/// A name that no cost of the problem has.
std::string UnusedCost(const Problem& problem, std::size_t number) {
  std::string name = fmt::format("in common with plan {}", number);
  while (problem.groups[0].choices[0].costs.contains(name)) name += "'";
  return name;
}

/// Bars plans with fewer than `distance` other choices: what a plan has in common with `choices` is a cost with a budget.
std::string Bar(Problem& problem, const std::vector<std::size_t>& choices, std::size_t distance, std::size_t number) {
  std::string cost = UnusedCost(problem, number);
  for (std::size_t g = 0; g < problem.groups.size(); ++g)
    for (std::size_t c = 0; c < problem.groups[g].choices.size(); ++c)
      problem.groups[g].choices[c].costs[cost] = c == choices[g] ? 1 : 0;
  problem.budgets[cost] = static_cast<double>(problem.groups.size() - distance);
  return cost;
}

}  // namespace

std::vector<Solution> BestPlans(const Problem& problem, std::size_t count, std::size_t distance,
                                const SearchOptions& options) {
  if (count < 1) throw Error("count is 0, must be at least 1");
  problem.Validate();
  if (distance < 1 || distance > problem.groups.size())
    throw Error(fmt::format("distance is {}, must be 1 to the number of groups, {}", distance, problem.groups.size()));
  const search::Deadline deadline(options);
  std::vector<Solution> plans{Search(problem, options)};
  Problem barred = problem;
  std::vector<std::string> costs;
  while (plans.size() < count && !plans.back().choices.empty() && !deadline.Passed()) {
    costs.push_back(Bar(barred, plans.back().choices, distance, plans.size()));
    Solution next = Search(barred, deadline.Rest());
    if (next.choices.empty()) break;
    for (const std::string& cost : costs) {
      next.costs.erase(cost);
      next.shadow_prices.erase(cost);
    }
    plans.push_back(std::move(next));
  }
  return plans;
}

void NoiseOptions::Validate() const {
  if (draws < 1) throw Error(fmt::format("draws is {}, must be at least 1", draws));
}

Stability StabilityOf(const Problem& problem, const std::vector<std::size_t>& choices, const NoiseOptions& noise,
                      const SearchOptions& options) {
  noise.Validate();
  problem.Validate();
  ObjectiveOf(problem, choices);  // checks them
  const search::Deadline deadline(options);
  std::mt19937_64 random(noise.seed);
  std::normal_distribution<double> normal;
  Stability stability{0, std::vector<double>(choices.size(), 0.0)};
  Problem drawn = problem;
  while (stability.draws < noise.draws && !deadline.Passed()) {
    for (std::size_t g = 0; g < choices.size(); ++g)
      for (std::size_t c = 0; c < problem.groups[g].choices.size(); ++c) {
        const Choice& choice = problem.groups[g].choices[c];
        drawn.groups[g].choices[c].objective = choice.objective + choice.standard_error * normal(random);
      }
    const Solution solution = Search(drawn, deadline.Rest());
    if (solution.choices.empty()) break;
    ++stability.draws;
    for (std::size_t g = 0; g < choices.size(); ++g) stability.changes[g] += solution.choices[g] != choices[g];
  }
  for (double& share : stability.changes) share /= static_cast<double>(std::max<std::int64_t>(stability.draws, 1));
  return stability;
}

}  // namespace bitplan
