#include <gtest/gtest.h>

#include <cmath>

#include "bitplan/search.h"
#include "search/brute_force.h"
#include "search/random_problem.h"
#include "search/read_instance.h"

namespace bitplan::search_test {
namespace {

TEST(ExactSearch, AgreesWithBruteForce) {
  for (std::uint64_t seed = 10000; seed < 12000; ++seed) {
    const Problem problem = RandomProblem(seed);
    const Truth truth = BruteForce(problem);
    if (!truth.feasible) continue;
    const Solution solution = Search(problem, {});
    ASSERT_EQ(solution.status, SolutionStatus::Optimal) << problem.name;
    EXPECT_NEAR(solution.objective, truth.optimum, 1e-12 * std::max(1.0, std::abs(truth.optimum))) << problem.name;
    EXPECT_EQ(solution.bound, solution.objective) << problem.name;
    EXPECT_EQ(solution.gap, 0) << problem.name;
  }
}

TEST(ExactSearch, AgreesWithBruteForceWhenBudgetsCompete) {
  for (std::uint64_t seed = 0; seed < 30; ++seed)
    ExpectTheOptimum(LargeProblem(seed, 6, 5, 1 + static_cast<int>(seed % 4)));
}

TEST(ExactSearch, FindsThePublishedOptima) {
  for (const auto& name : HawqInstances()) {
    const auto [problem, optimum] = ReadInstance(name);
    const Solution solution = Search(problem, {});
    EXPECT_EQ(solution.status, SolutionStatus::Optimal) << name;
    EXPECT_NEAR(solution.objective, optimum, 1e-12 * optimum) << name;
    EXPECT_LT(solution.nodes, 300) << name;
  }
}

TEST(ExactSearch, FindsWhatOtherSolversFindOnThreeBudgets) {
  const Problem problem = ReadInstance("synthetic-20-7").problem;
  const Solution solution = Search(problem, {});
  EXPECT_EQ(solution.status, SolutionStatus::Optimal);
  EXPECT_NEAR(solution.objective, 0.01945385, 1e-8);
  EXPECT_TRUE(WithinBudgets(problem, solution.choices));
}

TEST(ExactSearch, KeepsItsObjectiveWhenUnitsChange) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Problem problem = LargeProblem(seed, 10, 5, 2);
    Problem scaled = problem;
    for (auto& group : scaled.groups)
      for (auto& choice : group.choices) {
        choice.objective *= 1e-9;
        choice.costs["cost0"] *= 1e12;
        choice.costs["cost1"] *= 1e-12;
      }
    scaled.budgets["cost0"] *= 1e12;
    scaled.budgets["cost1"] *= 1e-12;
    const double objective = Search(problem, {}).objective;
    EXPECT_NEAR(Search(scaled, {}).objective, 1e-9 * objective, 1e-20 * objective) << problem.name;
  }
}

TEST(ExactSearch, IsNotMisledByOneHugeObjective) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    Problem problem = LargeProblem(seed, 6, 5, 2);
    for (auto& group : problem.groups) group.choices[0].objective = 1e15;
    const Truth truth = BruteForce(problem);
    const Solution solution = Search(problem, {});
    ASSERT_EQ(solution.status == SolutionStatus::Infeasible, !truth.feasible) << problem.name;
    if (truth.feasible) {
      EXPECT_NEAR(solution.objective, truth.optimum, 1e-12 * truth.optimum) << problem.name;
    }
  }
}

TEST(ExactSearch, ProvesWhatEqualGroupsHideInSymmetry) {
  Problem problem;
  for (int g = 0; g < 12; ++g)
    problem.groups.push_back(
        {"g" + std::to_string(g), {}, {{"a", 3, {{"c", 1}}}, {"b", 1, {{"c", 3}}}, {"c", 0, {{"c", 5}}}}});
  problem.budgets = {{"c", 30}};  // 9 of 12 groups can go up by 2
  const Solution solution = Search(problem, {});
  EXPECT_EQ(solution.status, SolutionStatus::Optimal);
  EXPECT_EQ(solution.objective, 12 * 3 - 9 * 2);
}

TEST(ExactSearch, StopsAtTheGapThatIsAskedFor) {
  for (const double gap : {1e-6, 1e-3, 0.05, 0.5, 2.0})
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      const Problem problem = LargeProblem(seed, 12, 6, 3);
      const Solution proven = Search(problem, {});
      const Solution solution = Search(problem, {.gap = gap});
      ASSERT_EQ(solution.status, proven.status);
      EXPECT_LE(solution.gap, gap);
      EXPECT_LE(solution.bound, proven.objective * (1 + 1e-12));
      EXPECT_LE(solution.objective * (1 - gap), proven.objective * (1 + 1e-12));
    }
}

TEST(ExactSearch, NeedsFewNodesOnProblemsOfTheSizeOfANetwork) {
  for (std::uint64_t seed = 0; seed < 10; ++seed)
    for (const int budgets : {1, 2}) {
      const Solution solution = Search(LargeProblem(seed, 20, 5, budgets), {});
      EXPECT_EQ(solution.status, SolutionStatus::Optimal);
      EXPECT_LT(solution.nodes, 5000);
    }
}

TEST(ExactSearch, CopesWithGroupsOfThousandsOfChoices) {
  const Solution solution = Search(LargeProblem(5, 4, 4096, 2), {});
  EXPECT_EQ(solution.status, SolutionStatus::Optimal);
}

TEST(ExactSearch, HandlesMoreBudgetsThanGroups) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Problem problem = LargeProblem(seed, 4, 6, 9);
    const Truth truth = BruteForce(problem);
    const Solution solution = Search(problem, {});
    ASSERT_EQ(solution.status == SolutionStatus::Infeasible, !truth.feasible) << problem.name;
    if (truth.feasible) {
      EXPECT_NEAR(solution.objective, truth.optimum, 1e-12 * truth.optimum) << problem.name;
    }
  }
}

}  // namespace
}  // namespace bitplan::search_test
