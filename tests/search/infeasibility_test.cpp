#include <gtest/gtest.h>

#include <cmath>

#include "bitplan/search.h"
#include "search/brute_force.h"
#include "search/random_problem.h"

namespace bitplan::search_test {
namespace {

double Overrun(double spent, double limit) {
  if (spent <= limit * (1 + 1e-9)) return 0;
  return limit > 0 ? spent / limit - 1 : std::numeric_limits<double>::infinity();
}

void CheckAlone(const Problem& problem, const Truth& truth, const Infeasibility& why) {
  double worst = 0;
  for (const auto& [cost, limit] : problem.budgets) worst = std::max(worst, Overrun(truth.least.at(cost), limit));
  EXPECT_EQ(why.limit, problem.budgets.at(why.budget));
  EXPECT_NEAR(why.least, truth.least.at(why.budget), 1e-12);
  if (std::isfinite(worst)) {
    EXPECT_NEAR(Overrun(why.least, why.limit), worst, 1e-9);
  } else
    EXPECT_EQ(why.limit, 0);
  EXPECT_NEAR(Spent(problem, why.budget, why.cheapest), why.least, 1e-12);
}

void CheckJointly(const Problem& problem, const Truth& truth, const Infeasibility& why) {
  ASSERT_EQ(why.cheapest.size(), problem.groups.size());
  EXPECT_EQ(why.limit, problem.budgets.at(why.budget));
  EXPECT_EQ(why.least, Spent(problem, why.budget, why.cheapest));
  EXPECT_GT(why.least, why.limit);
  if (!std::isfinite(truth.least_peak)) {  // of two budgets of zero, one is always spent of
    EXPECT_EQ(why.limit, 0);
    return;
  }
  EXPECT_NEAR(why.least / why.limit, truth.least_peak, 1e-9 * truth.least_peak);
  for (const auto& [cost, limit] : problem.budgets)
    EXPECT_LE(Spent(problem, cost, why.cheapest), limit * truth.least_peak * (1 + 1e-9)) << cost;
}

TEST(Infeasibility, SaysWhatBruteForceSays) {
  int alone = 0, jointly = 0;
  for (std::uint64_t seed = 20000; seed < 23000; ++seed) {
    const Problem problem = RandomProblem(seed);
    const Truth truth = BruteForce(problem);
    if (truth.feasible) continue;
    const Solution solution = Search(problem, {});
    ASSERT_EQ(solution.status, SolutionStatus::Infeasible) << problem.name;
    bool met_alone = true;
    for (const auto& [cost, limit] : problem.budgets) met_alone &= truth.least.at(cost) <= limit * (1 + 1e-9);
    SCOPED_TRACE(problem.name);
    ASSERT_EQ(solution.infeasibility.jointly, met_alone);
    met_alone ? CheckJointly(problem, truth, solution.infeasibility)
              : CheckAlone(problem, truth, solution.infeasibility);
    ++(met_alone ? jointly : alone);
  }
  EXPECT_GT(alone, 100);
  EXPECT_GT(jointly, 100);
}

TEST(Infeasibility, NamesTheBudgetThatIsFurthestFromBeingMet) {
  Problem problem;
  problem.groups = {{"a", {}, {{"x", 0, {{"c", 10}, {"d", 10}}}}}};
  problem.budgets = {{"c", 9}, {"d", 5}};
  const Solution solution = Search(problem, {});
  EXPECT_EQ(solution.infeasibility.budget, "d");
  EXPECT_EQ(solution.infeasibility.least, 10);
  EXPECT_EQ(solution.infeasibility.limit, 5);
  EXPECT_FALSE(solution.infeasibility.jointly);
}

TEST(Infeasibility, TakesABudgetOfZeroAtItsWord) {
  Problem problem;
  problem.groups = {{"a", {}, {{"x", 0, {{"c", 1e-30}}}, {"y", 1, {{"c", 0}}}}}};
  problem.budgets = {{"c", 0}};
  EXPECT_EQ(Search(problem, {}).choices, std::vector<std::size_t>{1});
  problem.groups[0].choices.pop_back();
  EXPECT_EQ(Search(problem, {}).status, SolutionStatus::Infeasible);
}

TEST(Infeasibility, IsProvenForWholeUnitsThatCannotBeMixed) {
  // c allows 7.5 groups to take y, d asks for 7.5: a share of a group would do, whole groups do not.
  Problem problem;
  for (int g = 0; g < 15; ++g)
    problem.groups.push_back(
        {"g" + std::to_string(g), {}, {{"x", 0, {{"c", 0}, {"d", 3}}}, {"y", 1, {{"c", 2}, {"d", 0}}}}});
  problem.budgets = {{"c", 15}, {"d", 22.5}};
  const Solution solution = Search(problem, {});
  EXPECT_EQ(solution.status, SolutionStatus::Infeasible);
  EXPECT_TRUE(solution.infeasibility.jointly);
  // 8 times y: c = 16 of 15; 7 times y: d = 24 of 22.5. Both are 6.7 % over.
  EXPECT_NEAR(solution.infeasibility.least / solution.infeasibility.limit, 16.0 / 15, 1e-12);
}

TEST(Infeasibility, IsProvenWithLargeProblems) {
  Problem problem = LargeProblem(4, 100, 8, 3);
  const Solution feasible = Search(problem, {.gap = 1e-3});
  ASSERT_NE(feasible.status, SolutionStatus::Infeasible);
  for (auto& [cost, limit] : problem.budgets) limit = 2.5 * 100;
  const Solution solution = Search(problem, {});
  EXPECT_EQ(solution.status, SolutionStatus::Infeasible);
}

TEST(Infeasibility, IsExplainedInAFewNodes) {
  constexpr double kCosts[6][3] = {{11, 10, 7}, {2, 11, 10}, {8, 7, 8}, {7, 3, 2}, {11, 3, 1}, {8, 3, 10}};
  Problem problem;
  double total = 0;
  for (int g = 0; g < 80; ++g) {
    auto& group = problem.groups.emplace_back(Group{"g" + std::to_string(g), {}, {}});
    const double size = 1 + g % 7;
    total += size;
    for (const auto& costs : kCosts)
      group.choices.push_back({"w" + std::to_string(group.choices.size()),
                               0,
                               {{"b", size * costs[0]}, {"c", size * costs[1]}, {"d", size * costs[2]}}});
  }
  problem.budgets = {{"b", 4.1 * total}, {"c", 4.1 * total}, {"d", 4.1 * total}};
  const Solution solution = Search(problem, {});
  EXPECT_EQ(solution.status, SolutionStatus::Infeasible);
  EXPECT_TRUE(solution.infeasibility.jointly);
  EXPECT_GT(solution.nodes, 0);
  EXPECT_LT(solution.nodes, 1'000);  // the plan that comes closest is not worth a search of its own
}

}  // namespace
}  // namespace bitplan::search_test
