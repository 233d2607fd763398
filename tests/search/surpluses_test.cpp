#include "tree/surpluses.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "bitplan/search.h"
#include "brute_force.h"

namespace bitplan::search {
namespace {

/// Losses of 12,000 less the mean cost, and 1,000 less for the dearest choice of a group; costs times 1 ± `noise`.
Problem WithFixedGain(std::uint32_t seed, int groups, int choices, int budgets, double noise) {
  std::mt19937 random(seed);
  const auto uniform = [&](double from, double to) {
    return from + (to - from) * static_cast<double>(random()) / 4294967296.0;
  };
  Problem problem;
  problem.name = "fixed gain " + std::to_string(seed);
  for (int g = 0; g < groups; ++g) {
    Group group{"g" + std::to_string(g), {}, {}};
    std::vector<double> cost(static_cast<std::size_t>(budgets), 0.0);
    for (int c = 0; c < choices; ++c) {
      Choice choice{"c" + std::to_string(c), c + 1 == choices ? 11000.0 : 12000.0, {}};
      for (std::size_t i = 0; i < cost.size(); ++i) {
        cost[i] += uniform(100, 2000);
        choice.objective -= cost[i] / budgets;
        choice.costs["cost" + std::to_string(i)] = cost[i] * (1 + noise * uniform(-1, 1));
      }
      for (const auto& [name, spent] : choice.costs)
        if (c == 0 || c + 1 == choices) problem.budgets[name] += spent / 2;
      group.choices.push_back(choice);
    }
    problem.groups.push_back(group);
  }
  return problem;
}

TEST(Surpluses, AreOneForAllButTheChoicesWithAFixedGain) {
  for (std::uint32_t seed = 0; seed < 20; ++seed)
    for (const int budgets : {1, 2}) {
      const Problem problem = WithFixedGain(seed, 30, 5, budgets, seed % 2 == 0 ? 0 : 1e-3);
      const Core core = BuildCore(problem, Goal::Loss);
      const std::vector<double> surpluses = SurplusesOf(core);
      ASSERT_EQ(surpluses.size(), core.columns()) << seed;
      for (Index c = 0; c < core.columns(); ++c) EXPECT_EQ(surpluses[c], core.choice[c] == 4 ? 0 : 1) << seed;
    }
}

TEST(Surpluses, AreNoneOfTheLineAloneAndOfLossesThatAreNoLine) {
  Problem line = WithFixedGain(1, 30, 5, 1, 0);
  for (Group& group : line.groups)
    for (Choice& choice : group.choices) choice.objective = 20000 - choice.costs.begin()->second;
  EXPECT_TRUE(SurplusesOf(BuildCore(line, Goal::Loss)).empty());
  std::mt19937 random(3);
  for (Group& group : line.groups)
    for (Choice& choice : group.choices) choice.objective += 1e-6 * static_cast<double>(random());
  EXPECT_TRUE(SurplusesOf(BuildCore(line, Goal::Loss)).empty());
}

TEST(ExactSearch, AgreesWithBruteForceOnFixedGains) {
  for (std::uint32_t seed = 0; seed < 60; ++seed)
    search_test::ExpectTheOptimum(WithFixedGain(seed, 6, 4, 1 + static_cast<int>(seed % 3), seed % 2 == 0 ? 0 : 1e-3));
}

TEST(ExactSearch, ProvesPlansThatDifferByFixedGainsInFewNodes) {
  for (std::uint32_t seed = 0; seed < 3; ++seed)
    for (const double noise : {0.0, 1e-6, 1e-3}) {
      const Problem problem = WithFixedGain(seed, 150, 4, 1, noise);
      const Solution solution = Search(problem, {.gap = 1e-6, .time_limit_seconds = 60});
      EXPECT_EQ(solution.status, SolutionStatus::Optimal) << seed << ' ' << noise;
      EXPECT_LT(solution.nodes, 5'000) << seed << ' ' << noise;
    }
}

}  // namespace
}  // namespace bitplan::search
