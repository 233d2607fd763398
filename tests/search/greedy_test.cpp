#include <gtest/gtest.h>

#include "bitplan/search.h"
#include "search/brute_force.h"
#include "search/random_problem.h"
#include "search/read_instance.h"

namespace bitplan::search_test {
namespace {

TEST(GreedySearch, ComesNearTheOptimumOfRealProblems) {
  for (const auto& name : HawqInstances()) {
    const auto [problem, optimum] = ReadInstance(name);
    const Solution solution = Search(problem, {.method = "greedy"});
    EXPECT_LE(solution.objective, 1.05 * optimum) << name;
    EXPECT_GE(solution.bound, 0.6 * optimum) << name;
  }
}

TEST(GreedySearch, LeavesNoChangeOfOneOrTwoGroupsThatHelps) {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const Problem problem = LargeProblem(seed, 10, 5, 3);
    const Solution solution = Search(problem, {.method = "greedy"});
    ASSERT_FALSE(solution.choices.empty());
    auto choices = solution.choices;
    for (std::size_t a = 0; a < choices.size(); ++a)
      for (std::size_t b = a; b < choices.size(); ++b)
        for (std::size_t i = 0; i < 5; ++i)
          for (std::size_t j = 0; j < 5; ++j) {
            choices = solution.choices;
            choices[a] = i;
            choices[b] = j;
            if (WithinBudgets(problem, choices)) {
              EXPECT_GE(Objective(problem, choices), solution.objective * (1 - 1e-12));
            }
          }
  }
}

TEST(GreedySearch, FindsAPlanWhereTheCheapestOneIsOverABudget) {
  // Each group trades one cost for the other; only one choice of each keeps both sums at 10.
  Problem problem;
  problem.groups = {{"a", {}, {{"x", 0, {{"c", 1}, {"d", 8}}}, {"y", 5, {{"c", 7}, {"d", 3}}}}},
                    {"b", {}, {{"x", 0, {{"c", 1}, {"d", 8}}}, {"y", 5, {{"c", 3}, {"d", 7}}}}}};
  problem.budgets = {{"c", 10}, {"d", 10}};
  const Solution solution = Search(problem, {.method = "greedy"});
  EXPECT_EQ(solution.choices, (std::vector<std::size_t>{1, 1}));
}

TEST(GreedySearch, IsOptimalOnlyWhenItsBoundSaysSo) {
  int feasible = 0;
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    const Problem problem = LargeProblem(seed, 12, 5, 2);
    const Solution solution = Search(problem, {.method = "greedy", .gap = 0.01});
    EXPECT_EQ(solution.status == SolutionStatus::Optimal, solution.gap <= 0.01);
    EXPECT_LE(solution.bound, Search(problem, {}).objective);
    feasible += solution.status == SolutionStatus::Feasible;
  }
  EXPECT_GT(feasible, 0);
}

}  // namespace
}  // namespace bitplan::search_test
