#include "tree/budget_lattice.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <utility>

#include "bitplan/search.h"
#include "search/random_problem.h"

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

/// Every plan of a small core.
std::vector<CorePlan> PlansOf(const Core& core) {
  std::vector<CorePlan> plans;
  CorePlan plan(core.first.begin(), core.first.end() - 1);
  for (bool more = true; more;) {
    plans.push_back(plan);
    more = false;
    for (std::size_t g = 0; g < plan.size() && !more; ++g) {
      more = ++plan[g] < core.first[g + 1];
      if (!more) plan[g] = core.first[g];
    }
  }
  return plans;
}

/// With objectives that are whole multiples of `step`.
Problem InSteps(Problem problem, double step) {
  for (Group& group : problem.groups)
    for (Choice& choice : group.choices) choice.objective = std::round(choice.objective / step) * step;
  return problem;
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
    for (const CorePlan& plan : PlansOf(core)) {
      if (part.rest.empty() || core.Value(plan) == kInfinity) continue;
      double sum = 0;
      for (const Index column : plan) sum += core.Cost(0, column);
      EXPECT_LE(sum, core.limits[0] - lowered);
    }
  }
}

TEST(BudgetLattice, LowersACutoffToNoLessThanPlansBelowIt) {
  int lowered = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const Core core = BuildCore(InSteps(search_test::LargeProblem(seed, 4, 5, 2), 0.3), Goal::Loss);
    std::mt19937 random(static_cast<unsigned>(seed));
    for (int trial = 0; trial < 10; ++trial) {
      const double cutoff = std::uniform_real_distribution<double>(0.1, 4)(random);
      const double lower = LowerCutoff(core, WholeOf(core), cutoff);
      EXPECT_LE(lower, cutoff);
      lowered += lower < cutoff;
      for (const CorePlan& plan : PlansOf(core)) {
        double loss = core.settled_loss;
        for (const Index column : plan) loss += core.loss[column];
        EXPECT_TRUE(loss >= cutoff || loss <= lower);
      }
    }
  }
  EXPECT_GT(lowered, 500);
}

TEST(BudgetLattice, WholeLossesAreProvenInAFewNodes) {
  for (const auto& [budgets, nodes] : {std::pair{1, 350}, std::pair{2, 200}, std::pair{3, 6'000}})
    for (std::uint64_t seed = 0; seed < 4; ++seed) {
      const Problem problem = InSteps(search_test::LargeProblem(seed, 80, 6, budgets), 0.1);
      const Solution solution = Search(problem, {.time_limit_seconds = 60});
      EXPECT_EQ(solution.status, SolutionStatus::Optimal) << problem.name;
      EXPECT_LT(solution.nodes, nodes) << problem.name << ", budgets " << budgets;
    }
}

}  // namespace
}  // namespace bitplan::search
