#include "bitplan/robustness.h"

#include <fmt/format.h>

#include <random>

#include "bitplan/error.h"
#include "deadline.h"

namespace bitplan {
namespace {

/// A name that no cost of the problem has.
std::string UnusedCost(const Problem& problem, std::size_t number) {
  std::string name = fmt::format("in common with plan {}", number);
  while (problem.groups[0].choices[0].costs.contains(name)) name += "'";
  return name;
}

}  // namespace

/// What a plan has in common with another is a cost like any other: one for each group, with a budget.
Solution BestOtherPlan(const Problem& problem, const std::vector<std::vector<std::size_t>>& others,
                       std::size_t distance, const SearchOptions& options) {
  problem.Validate();
  if (distance < 1 || distance > problem.groups.size())
    throw Error(fmt::format("distance is {}, must be 1 to the number of groups, {}", distance, problem.groups.size()));
  Problem barred = problem;
  std::vector<std::string> added;
  for (const auto& other : others) {
    ObjectiveOf(problem, other);  // checks its choices
    added.push_back(UnusedCost(barred, added.size()));
    for (std::size_t g = 0; g < other.size(); ++g)
      for (std::size_t c = 0; c < barred.groups[g].choices.size(); ++c)
        barred.groups[g].choices[c].costs[added.back()] = c == other[g] ? 1 : 0;
    barred.budgets[added.back()] = static_cast<double>(problem.groups.size() - distance);
  }
  Solution solution = Search(barred, options);
  for (const std::string& cost : added) {
    solution.costs.erase(cost);
    solution.shadow_prices.erase(cost);
  }
  return solution;
}

std::vector<Solution> BestPlans(const Problem& problem, std::size_t count, std::size_t distance,
                                const SearchOptions& options) {
  if (count < 1) throw Error("count is 0, must be at least 1");
  const search::Deadline deadline(options);
  std::vector<Solution> plans{BestOtherPlan(problem, {}, distance, options)};
  std::vector<std::vector<std::size_t>> found{plans[0].choices};
  while (plans.size() < count && !found.back().empty() && !deadline.Passed()) {
    plans.push_back(BestOtherPlan(problem, found, distance, deadline.Rest()));
    found.push_back(plans.back().choices);
  }
  if (plans.size() > 1 && found.back().empty()) plans.pop_back();
  return plans;
}

void NoiseOptions::Validate() const {
  if (draws < 1) throw Error(fmt::format("draws is {}, must be at least 1", draws));
}

NoiseChanges ChangesUnderNoise(const Problem& problem, const std::vector<std::size_t>& choices,
                               const NoiseOptions& noise, const SearchOptions& options) {
  noise.Validate();
  problem.Validate();
  ObjectiveOf(problem, choices);  // checks them
  const search::Deadline deadline(options);
  std::mt19937_64 random(noise.seed);
  std::normal_distribution<double> normal;
  NoiseChanges noise_changes{0, std::vector<double>(choices.size(), 0.0)};
  Problem drawn = problem;
  while (noise_changes.draws < noise.draws && !deadline.Passed()) {
    for (std::size_t g = 0; g < choices.size(); ++g)
      for (std::size_t c = 0; c < problem.groups[g].choices.size(); ++c) {
        const Choice& choice = problem.groups[g].choices[c];
        drawn.groups[g].choices[c].objective = choice.objective + choice.standard_error * normal(random);
      }
    const Solution solution = Search(drawn, deadline.Rest());
    if (solution.choices.empty()) break;
    ++noise_changes.draws;
    for (std::size_t g = 0; g < choices.size(); ++g) noise_changes.changes[g] += solution.choices[g] != choices[g];
  }
  for (double& share : noise_changes.changes)
    share /= static_cast<double>(std::max<std::int64_t>(noise_changes.draws, 1));
  return noise_changes;
}

Robustness RobustnessOf(const Problem& problem, const Solution& solution, const NoiseOptions& noise,
                        const SearchOptions& options) {
  const search::Deadline deadline(options);
  Solution runner_up = BestOtherPlan(problem, {solution.choices}, 1, options);
  Robustness robustness;
  if (!runner_up.choices.empty()) robustness.runner_up = std::move(runner_up);
  robustness.noise = ChangesUnderNoise(problem, solution.choices, noise, deadline.Rest());
  return robustness;
}

}  // namespace bitplan
