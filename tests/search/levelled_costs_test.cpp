#include "core/levelled_costs.h"

#include <gtest/gtest.h>

#include "bitplan/search.h"
#include "search/brute_force.h"
#include "search/random_problem.h"

namespace bitplan::search {
namespace {

using search_test::BruteForce;
using search_test::TiedProblem;

Problem NoisyProblem(std::uint64_t seed, int groups, int sizes, int budgets, double tie, double noise) {
  Problem problem = TiedProblem(seed, groups, sizes, 4, budgets, tie);
  search_test::Measure(seed, noise, problem);
  return problem;
}

/// The problem's costs by those of `core`, which has its columns.
Problem WithCosts(const Problem& problem, const Core& core) {
  Problem with = problem;
  for (Index c = 0; c < core.columns(); ++c)
    for (std::size_t i = 0; i < core.budgets(); ++i)
      with.groups[core.group[c]].choices[core.choice[c]].costs[core.budget_names[i]] =
          core.Cost(i, c) * core.cost_scale[i];
  return with;
}

TEST(LevelledCosts, HaveTheOptimumBetweenTheirs) {
  int levelled_ones = 0, differ = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const Problem problem = NoisyProblem(seed, 6, 2, 1 + static_cast<int>(seed % 3), 1e-3, 1e-5);
    const auto truth = BruteForce(problem);
    const auto levelled = LevelCosts(BuildCore(problem, Goal::Loss, Dominated::Kept));
    if (!truth.feasible || !levelled) continue;
    ++levelled_ones;
    const auto least = BruteForce(WithCosts(problem, levelled->least));
    const auto most = BruteForce(WithCosts(problem, levelled->most));
    ASSERT_TRUE(least.feasible);
    ASSERT_LE(least.optimum, truth.optimum) << problem.name;
    ASSERT_TRUE(!most.feasible || most.optimum >= truth.optimum) << problem.name;
    differ += most.feasible && least.optimum < most.optimum ? 1 : 0;
  }
  EXPECT_GT(levelled_ones, 40);
  EXPECT_LT(differ, levelled_ones);
}

TEST(LevelledCosts, AreLeastAndMostOfThoseNextToEachOther) {
  Core core;
  core.limits = {10};
  core.first = {0, 2, 4};
  core.loss = {1, 0, 1, 0};
  core.cost = {1, 2, 1.00005, 2.1};
  core.group = {0, 0, 1, 1};
  core.choice = {0, 1, 0, 1};
  EXPECT_FALSE(LevelCosts(core));  // two kinds of groups before and after
  EXPECT_EQ(WithLevels(core, 1e-4, 1e-3, Level::Least).cost, (std::vector<double>{1, 2, 1, 2.1}));
  EXPECT_EQ(WithLevels(core, 1e-4, 1e-3, Level::Most).cost, (std::vector<double>{1.00005, 2, 1.00005, 2.1}));
  EXPECT_EQ(WithLevels(core, 0.06, kInfinity, Level::Least).cost, (std::vector<double>{1, 2, 1, 2}));
  EXPECT_EQ(WithLevels(core, 0.06, 0.01, Level::Most).cost, (std::vector<double>{1.00005, 2, 1.00005, 2.1}));
  EXPECT_EQ(WithLevels(core, 0.06, 1e-6, Level::Most).cost, core.cost);
  core.cost.back() = 2.0001;
  const auto levelled = LevelCosts(core);
  ASSERT_TRUE(levelled);
  EXPECT_EQ(levelled->least.cost, (std::vector<double>{1, 2, 1, 2}));
  EXPECT_EQ(levelled->most.cost, (std::vector<double>{1.00005, 2.0001, 1.00005, 2.0001}));
}

TEST(LevelledCosts, AreNotMadeOfCostsThatDiffer) {
  EXPECT_FALSE(LevelCosts(BuildCore(search_test::LargeProblem(1, 20, 5, 3), Goal::Loss)));
  EXPECT_FALSE(LevelCosts(BuildCore(TiedProblem(1, 20, 3, 5, 3, 1e-3), Goal::Loss)));  // equal already
  EXPECT_TRUE(LevelCosts(BuildCore(NoisyProblem(1, 20, 3, 3, 1e-3, 1e-6), Goal::Loss)));
}

TEST(LevelledCosts, SearchesOfNoisyCostsHaveTheOptimumOfBruteForce) {
  for (std::uint64_t seed = 0; seed < 100; ++seed)
    for (const double noise : {1e-9, 1e-6, 1e-4, 1e-3})
      search_test::ExpectTheOptimum(NoisyProblem(seed, 7, 1 + static_cast<int>(seed % 3),
                                                 1 + static_cast<int>(seed % 4), seed % 2 == 0 ? 0 : 1e-2, noise));
}

TEST(LevelledCosts, NoiseIsProvenInAFewNodes) {
  for (const int groups : {20, 60, 200})
    for (const int budgets : {1, 2, 3})
      for (const double tie : {0.0, 1e-2})
        for (std::uint64_t seed = 0; seed < 2; ++seed) {
          Problem problem = TiedProblem(seed, groups, 3, 6, budgets, tie);
          search_test::Measure(seed, 1e-6, problem);
          const Solution solution = Search(problem, {.gap = 1e-6, .time_limit_seconds = 60});
          EXPECT_EQ(solution.status, SolutionStatus::Optimal) << problem.name;
          EXPECT_LT(solution.nodes, 5'000) << problem.name;
        }
}

}  // namespace
}  // namespace bitplan::search
