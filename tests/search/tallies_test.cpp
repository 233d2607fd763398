#include "tree/tallies.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "search/brute_force.h"
#include "search/random_problem.h"
#include "tree/feasibility.h"

namespace bitplan::search {
namespace {

Problem MeasuredProblem(std::uint64_t seed, int groups, int budgets, double noise = 0.05) {
  Problem problem = search_test::TiedProblem(seed, groups, 2, 4, budgets, 0.01);
  search_test::Measure(seed, noise, problem);
  return problem;
}

/// A core with its tallies, at the root.
struct Case {
  ReducedCore part;
  std::vector<Tally> tallies;
  const Core& core = part.core;
  const Node& root = part.root;
};
Case CaseOf(const Problem& problem, TalliesOf of = TalliesOf::Ranks) {
  Monitor monitor({});
  const Core whole = BuildCore(problem, Goal::Loss);
  ReducedCore part = Reduce(whole, SolveRoot(whole, monitor));
  std::vector<Tally> tallies = AddTallies(whole, part, of);
  return {std::move(part), std::move(tallies)};
}

bool Has(const Core& core, const Subproblem& part, const CorePlan& plan) {
  for (std::size_t row = 0; row < core.budgets(); ++row) {
    double spent = 0;
    for (const Index column : plan) spent += core.Cost(row, column);
    if (spent > part.rest[row] + part.settled_cost[row] + 1e-12) return false;
  }
  return true;
}

TEST(Tallies, SidesShareOutAllPlans) {
  int divided = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const Problem problem = MeasuredProblem(seed, 6, 2 + static_cast<int>(seed % 2));
    const Case made = CaseOf(problem, seed % 2 == 0 ? TalliesOf::Ranks : TalliesOf::Counts);
    if (made.root.relaxation.infeasible || made.core.groups() < problem.groups.size()) continue;
    for (const Tally& tally : made.tallies) {
      const auto sides = Divide(made.core, made.root, tally);
      if (!sides) continue;
      ++divided;
      for (const auto& choices : search_test::AllPlans(problem)) {
        const CorePlan plan = PlanOf(made.core, choices);
        if (ChoicesOf(made.core, plan) != choices) continue;  // takes a choice that is dominated
        ASSERT_NE(Has(made.core, sides->below, plan), Has(made.core, sides->above, plan)) << problem.name;
      }
    }
  }
  EXPECT_GT(divided, 20);
}

TEST(Tallies, AreOfGroupsThatSwapsCannotOrder) {
  EXPECT_TRUE(CaseOf(search_test::TiedProblem(1, 12, 3, 5, 3, 0.01)).tallies.empty());
  EXPECT_TRUE(CaseOf(search_test::LargeProblem(1, 12, 5, 3)).tallies.empty());
  EXPECT_FALSE(CaseOf(MeasuredProblem(1, 12, 2)).tallies.empty());
}

TEST(Tallies, CountWhatGroupsOfEqualLossesGet) {
  const auto counts = [](const Problem& problem) { return CaseOf(problem, TalliesOf::Counts).tallies.size(); };
  EXPECT_GT(counts(MeasuredProblem(1, 12, 2)), CaseOf(MeasuredProblem(1, 12, 2)).tallies.size());
  EXPECT_EQ(counts(search_test::TiedProblem(1, 12, 3, 5, 3, 0.01)), 0);
  EXPECT_EQ(counts(search_test::LargeProblem(1, 12, 5, 3)), 0);
}

TEST(Tallies, HeldToTheirValuesLeaveOutWhatIsBeside) {
  int held = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const Problem problem = MeasuredProblem(seed, 5, 2);
    const Case made = CaseOf(problem, TalliesOf::Counts);
    if (made.root.relaxation.infeasible || made.core.groups() < problem.groups.size()) continue;
    for (const Tally& tally : made.tallies) {
      if (Divide(made.core, made.root, tally)) continue;  // not whole
      for (const TallySides& sides : DivideBeside(made.core, made.root, tally)) {
        ++held;
        for (const auto& choices : search_test::AllPlans(problem)) {
          const CorePlan plan = PlanOf(made.core, choices);
          if (ChoicesOf(made.core, plan) != choices) continue;  // takes a choice that is dominated
          ASSERT_NE(Has(made.core, sides.below, plan), Has(made.core, sides.above, plan)) << problem.name;
        }
        Node rest = made.root;
        rest.part = sides.below;
        EXPECT_LT(DivideBeside(made.core, rest, tally).size(), DivideBeside(made.core, made.root, tally).size());
      }
    }
  }
  EXPECT_GT(held, 20);
}

TEST(Tallies, TreesThatBranchOnThemFindTheOptimum) {
  int solved = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const Problem problem = MeasuredProblem(seed, 6, 2 + static_cast<int>(seed % 2));
    const Core core = BuildCore(problem, Goal::Loss);
    Monitor monitor({});
    const Node root = SolveRoot(core, monitor);
    const search_test::Truth truth = search_test::BruteForce(problem);
    if (!truth.feasible) continue;
    TreeOptions options;
    options.nodes_alone = 0;
    const TreeResult tree = BranchAndBound(core, root, options, {}, monitor);
    ASSERT_TRUE(tree.complete) << problem.name;
    ASSERT_NEAR(tree.best.value * core.loss_scale + core.loss_shift, truth.optimum, 1e-12 * truth.optimum)
        << problem.name;
    ++solved;
  }
  EXPECT_GT(solved, 100);
}

TEST(Tallies, EqualLossesUnderMeasuredBudgetsAreProvenInAFewNodes) {
  for (const int sizes : {3, 5})
    for (const int budgets : {2, 3, 4})
      for (const double tie : {0.0, 1e-3})
        for (std::uint64_t seed = 0; seed < 4; ++seed) {
          Problem problem = search_test::TiedProblem(seed, 60, sizes, 6, budgets, tie);
          search_test::Measure(seed, 0.02, problem);
          const Solution solution = Search(problem, {.gap = 1e-6, .time_limit_seconds = 60});
          EXPECT_TRUE(solution.status == SolutionStatus::Optimal || solution.status == SolutionStatus::Infeasible);
          EXPECT_LT(solution.nodes, 10'000) << problem.name << ", budgets " << budgets;
        }
}

TEST(Tallies, MeasuredCostsOfEqualLayersAreProvenInAFewNodes) {
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    const Problem problem = MeasuredProblem(seed, 40, 2);
    const Solution solution = Search(problem, {.gap = 1e-6, .time_limit_seconds = 60});
    EXPECT_EQ(solution.status, SolutionStatus::Optimal) << problem.name;
    EXPECT_LT(solution.nodes, 20'000) << problem.name;
  }
}

}  // namespace
}  // namespace bitplan::search
