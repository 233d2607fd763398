// Problems of near ties and symmetry: few sizes, repeated, and objectives that all but follow from them. How many nodes
// they take is bounded here; how long, and how long other solvers take, is what benchmarks/search.sh measures.

#include <gtest/gtest.h>

#include <cmath>

#include "bitplan/search.h"
#include "search/brute_force.h"
#include "search/random_problem.h"
#include "search/read_instance.h"

namespace bitplan::search_test {
namespace {

TEST(TiedProblems, HaveTheOptimumOfBruteForce) {
  for (std::uint64_t seed = 0; seed < 100; ++seed)
    for (const double tie : {0.0, 1e-6, 1e-2})
      ExpectTheOptimum(TiedProblem(seed, 7, 1 + static_cast<int>(seed % 3), 4, 1 + static_cast<int>(seed % 4), tie));
}

TEST(TiedProblems, ALanguageModelIsProvenInAFewNodes) {
  const auto [problem, optimum] = ReadInstance("lm-relative-error-3bits");
  const Solution solution = Search(problem, {.gap = 1e-6});
  EXPECT_EQ(solution.status, SolutionStatus::Optimal);
  EXPECT_NEAR(solution.objective, optimum, 1e-6 * optimum);
  EXPECT_LE(solution.bound, optimum * (1 + 1e-9));
  EXPECT_LT(solution.nodes, 500);
}

TEST(TiedProblems, TakeFewNodesAtTheSizeOfNetworks) {
  for (const int groups : {20, 60, 200})
    for (const int budgets : {1, 2, 3})
      for (const double tie : {0.0, 1e-6, 1e-3, 1e-2})
        for (std::uint64_t seed = 0; seed < 2; ++seed) {
          const Problem problem = TiedProblem(seed, groups, 3, 6, budgets, tie);
          const Solution solution = Search(problem, {.gap = 1e-6, .time_limit_seconds = 120});
          EXPECT_EQ(solution.status, SolutionStatus::Optimal) << problem.name << ", budgets " << budgets;
          EXPECT_LT(solution.nodes, 2'000) << problem.name << ", budgets " << budgets;
        }
}

}  // namespace
}  // namespace bitplan::search_test
