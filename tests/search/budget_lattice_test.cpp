#include "search/budget_lattice.h"

#include <gtest/gtest.h>

#include <random>

namespace bitplan::search {
namespace {

Core CoreWithCosts(const std::vector<std::vector<double>>& groups, double budget) {
  Problem problem;
  for (const auto& costs : groups) {
    auto& group = problem.groups.emplace_back();
    group.name = std::to_string(problem.groups.size());
    for (const double cost : costs) group.choices.push_back({std::to_string(cost), -cost, {{"c", cost}}});
  }
  problem.budgets = {{"c", budget}};
  return BuildCore(problem, Goal::Loss);
}

/// What the tightened budget is, in the problem's unit.
double Tightened(const std::vector<std::vector<double>>& groups, double budget) {
  const Core core = CoreWithCosts(groups, budget);
  if (core.budgets() == 0) return -1;  // the budget binds no plan: nothing to tighten, and a test that tests nothing
  Subproblem part = WholeOf(core);
  const double before = part.rest[0];
  TightenBudgets(core, part);
  return budget - (before - part.rest[0]) * budget / core.limits[0];
}

TEST(BudgetLattice, LowersABudgetToTheNextMultipleOfTheUnit) {
  EXPECT_NEAR(Tightened({{3, 9}, {5, 8}, {0, 6}}, 20), 20, 1e-6);
  EXPECT_NEAR(Tightened({{3, 9}, {5, 8}, {0, 6}}, 19), 17, 1e-6);  // 8 + 3 k
  EXPECT_NEAR(Tightened({{3, 9}, {5, 8}, {0, 6}}, 16.5), 14, 1e-6);
}

TEST(BudgetLattice, FindsUnitsThatAreNoMachineNumbers) {
  EXPECT_NEAR(Tightened({{0.1, 0.4}, {0.3, 0.6}, {0, 0.6}, {0, 0.3}}, 1.25), 1.0, 1e-6);  // 0.4 + 0.3 k
}

TEST(BudgetLattice, LeavesRealCostsAlone) {
  EXPECT_NEAR(Tightened({{0.123456789, 1.987654321}, {0.314159, 2.718281828}}, 3), 3, 1e-6);
}

TEST(BudgetLattice, LosesNoPlan) {
  std::mt19937 random(5);
  std::uniform_int_distribution<int> whole(0, 12), units(1, 5);
  for (int trial = 0; trial < 300; ++trial) {
    const double unit = units(random) * 0.37;
    std::vector<std::vector<double>> groups(4);
    for (auto& group : groups)
      for (int c = 0; c < 3; ++c) group.push_back(0.11 + unit * whole(random));
    const double budget = 4 * 0.11 + unit * (8.0 + 0.3 * whole(random));
    const Core core = CoreWithCosts(groups, budget);
    Subproblem part = WholeOf(core);
    const double removed = part.rest.empty() ? 0 : part.rest[0];
    TightenBudgets(core, part);
    const double lowered = part.rest.empty() ? 0 : removed - part.rest[0];
    std::vector<Index> plan(core.first.begin(), core.first.end() - 1);
    for (bool more = !part.rest.empty(); more;) {
      if (core.Value(plan) < kInfinity) {
        double sum = 0;
        for (const Index column : plan) sum += core.Cost(0, column);
        EXPECT_LE(sum, core.limits[0] - lowered);
      }
      more = false;
      for (std::size_t g = 0; g < plan.size() && !more; ++g) {
        more = ++plan[g] < core.first[g + 1];
        if (!more) plan[g] = core.first[g];
      }
    }
  }
}

}  // namespace
}  // namespace bitplan::search
