// Exchanges of four groups at once, which meet budgets to where plans that all but equal each other differ.

#include "heuristics/pair_exchange.h"

#include <gtest/gtest.h>

#include "bitplan/search.h"
#include "heuristics/greedy.h"
#include "search/brute_force.h"
#include "search/random_problem.h"
#include "tree/feasibility.h"

namespace bitplan::search {
namespace {

using search_test::LargeProblem;
using search_test::SumProblem;

Incumbent Improved(const Core& core, const Incumbent& start, const Node& root, double gap) {
  Monitor monitor({.time_limit_seconds = 60});
  return ExchangePairs(core, root, gap, start, 1'000'000, monitor);
}

TEST(PairExchange, IsNeverWorseAndWithinBudgets) {
  int better = 0;
  for (int budgets = 1; budgets <= 4; ++budgets)
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
      const Problem problem = LargeProblem(seed, 20, 5, budgets);
      const Core core = BuildCore(problem, Goal::Loss);
      Monitor monitor({.time_limit_seconds = 60});
      const Node root = SolveRoot(core, monitor);
      const Incumbent start = SearchGreedily(core, root.relaxation.multipliers, monitor);
      const Incumbent improved = Improved(core, start, root, 0);
      EXPECT_LE(improved.value, start.value);
      EXPECT_GE(improved.value, root.bound);
      EXPECT_TRUE(search_test::WithinBudgets(problem, improved.choices));
      EXPECT_EQ(core.Value(PlanOf(core, improved.choices)), improved.value);
      better += improved.value < start.value;
    }
  EXPECT_GT(better, 10);
}

TEST(PairExchange, MeetsTheBoundWherePlansAllButEqualEachOther) {
  for (const int budgets : {1, 2})
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      const Core core = BuildCore(SumProblem(seed, 100, 3, budgets), Goal::Loss);
      Monitor monitor({.time_limit_seconds = 60});
      const Node root = SolveRoot(core, monitor);
      const Incumbent start = SearchGreedily(core, root.relaxation.multipliers, monitor);
      const Incumbent improved = Improved(core, start, root, 1e-5);
      EXPECT_GE(root.bound, improved.Cutoff(core, 1e-5)) << budgets << ", " << seed;
    }
}

TEST(PairExchange, HasNothingToDoWithoutChanges) {
  Problem problem;
  for (int g = 0; g < 3; ++g)
    problem.groups.push_back({"g" + std::to_string(g), {}, {{"x", 0, {{"c", 2}}}, {"y", 1, {{"c", 1}}}}});
  problem.budgets = {{"c", 5}};
  const Core core = BuildCore(problem, Goal::Loss);
  Monitor monitor({.time_limit_seconds = 60});
  const Node root = SolveRoot(core, monitor);
  const Incumbent start = SearchGreedily(core, root.relaxation.multipliers, monitor);
  EXPECT_EQ(Improved(core, start, root, 0).value, start.value);
}

TEST(PairExchange, ProvesInFewNodes) {
  for (const int groups : {86, 217})
    for (std::uint64_t seed = 0; seed < 3; ++seed) {
      const Problem problem = SumProblem(seed, groups, 3, 2);
      const Solution solution = Search(problem, {.gap = 1e-6, .time_limit_seconds = 120});
      EXPECT_EQ(solution.status, SolutionStatus::Optimal) << problem.name;
      EXPECT_LT(solution.nodes, 1'000) << problem.name;
    }
}

}  // namespace
}  // namespace bitplan::search
