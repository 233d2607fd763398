// Rows that whole plans keep and shares do not.

#include "tree/cuts.h"

#include <gtest/gtest.h>

#include <functional>

#include "bitplan/search.h"
#include "search/brute_force.h"
#include "search/random_problem.h"
#include "tree/feasibility.h"

namespace bitplan::search {
namespace {

using search_test::EvenProblem;

/// Every plan within the first `budgets` rows of the core.
void ForEachPlan(const Core& core, std::size_t budgets, const std::function<void(const CorePlan&)>& visit) {
  CorePlan plan(core.groups());
  const std::function<void(std::size_t)> fill = [&](std::size_t group) {
    if (group < core.groups()) {
      for (plan[group] = core.first[group]; plan[group] < core.first[group + 1]; ++plan[group]) fill(group + 1);
      return;
    }
    for (std::size_t i = 0; i < budgets; ++i) {
      double spent = core.settled_cost[i];
      for (const Index column : plan) spent += core.Cost(i, column);
      if (spent > core.limits[i]) return;
    }
    visit(plan);
  };
  fill(0);
}

TEST(Cuts, AreKeptByEveryPlanAndRaiseTheBound) {
  int raised = 0, rows = 0;
  for (int budgets = 1; budgets <= 4; ++budgets)
    for (std::uint64_t seed = 0; seed < 40; ++seed)
      for (const double noise : {0.0, 1e-9, 1e-3}) {
        const Problem problem = EvenProblem(seed, 8, 3, budgets, noise);
        const Core core = BuildCore(problem, Goal::Loss);
        Monitor monitor({.time_limit_seconds = 60});
        const Node root = SolveRoot(core, monitor);
        if (root.relaxation.infeasible || root.part.groups() == 0) continue;
        ReducedCore part = Reduce(core, root);
        double best = kInfinity;
        ForEachPlan(part.core, core.budgets(),
                    [&](const CorePlan& plan) { best = std::min(best, core.Value(part.Expand(plan))); });
        raised += AddCuts(part, best, monitor);
        rows += static_cast<int>(part.core.budgets() - core.budgets());
        EXPECT_GE(part.root.bound, root.bound);
        EXPECT_LE(part.root.bound, best * (1 + 1e-9)) << problem.name;
        ForEachPlan(part.core, core.budgets(), [&](const CorePlan& plan) {
          for (std::size_t i = core.budgets(); i < part.core.budgets(); ++i) {
            double spent = 0;
            for (const Index column : plan) spent += part.core.Cost(i, column);
            ASSERT_LE(spent, part.core.limits[i]) << problem.name << ", row " << i;
          }
        });
      }
  EXPECT_GT(raised, 100);
  EXPECT_GT(rows, 200);
}

TEST(Cuts, LeaveTheOptimumOfBruteForce) {
  for (std::uint64_t seed = 0; seed < 60; ++seed)
    for (int budgets = 2; budgets <= 4; ++budgets)
      search_test::ExpectTheOptimum(EvenProblem(seed, 7, 4, budgets, seed % 2 == 0 ? 1e-3 : 0.0));
}

TEST(Cuts, ProveWhereBudgetsAllButMissAUnit) {
  for (std::uint64_t seed = 0; seed < 3; ++seed)
    for (const Problem& problem : {EvenProblem(seed, 217, 2, 2, 1e-3), EvenProblem(seed, 60, 2, 3, 1e-3)}) {
      const Solution solution = Search(problem, {.gap = 1e-6, .time_limit_seconds = 120});
      EXPECT_EQ(solution.status, SolutionStatus::Optimal) << problem.name;
      EXPECT_LT(solution.nodes, 20'000) << problem.name;
    }
}

}  // namespace
}  // namespace bitplan::search
