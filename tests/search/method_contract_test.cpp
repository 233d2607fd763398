// What every search method promises, on every problem.
#include <gtest/gtest.h>

#include <cmath>

#include "bitplan/error.h"
#include "bitplan/search.h"
#include "search/brute_force.h"
#include "search/random_problem.h"
#include "search/read_instance.h"

namespace bitplan::search_test {
namespace {

class SearchContract : public testing::TestWithParam<std::string> {
 protected:
  Solution Solve(const Problem& problem) const { return Search(problem, {.method = GetParam()}); }
};

double Slack(double value) { return 1e-12 * std::max(1.0, std::abs(value)); }

TEST_P(SearchContract, AgreesWithBruteForceOnFeasibilityAndNeverPassesTheOptimum) {
  int feasible = 0, infeasible = 0;
  for (std::uint64_t seed = 0; seed < 1500; ++seed) {
    const Problem problem = RandomProblem(seed);
    const Truth truth = BruteForce(problem);
    const Solution solution = Solve(problem);
    ASSERT_EQ(solution.status == SolutionStatus::Infeasible, !truth.feasible) << problem.name;
    ASSERT_EQ(solution.method, GetParam());
    (truth.feasible ? feasible : infeasible) += 1;
    if (!truth.feasible) {
      EXPECT_TRUE(solution.choices.empty()) << problem.name;
      continue;
    }
    ASSERT_EQ(solution.choices.size(), problem.groups.size()) << problem.name;
    EXPECT_TRUE(WithinBudgets(problem, solution.choices)) << problem.name;
    EXPECT_EQ(solution.objective, Objective(problem, solution.choices)) << problem.name;
    EXPECT_GE(solution.objective, truth.optimum - Slack(truth.optimum)) << problem.name;
    EXPECT_LE(solution.bound, truth.optimum + Slack(truth.optimum)) << problem.name;
    EXPECT_LE(solution.bound, solution.objective) << problem.name;
    if (solution.status == SolutionStatus::Optimal) {
      EXPECT_NEAR(solution.objective, truth.optimum, Slack(truth.optimum)) << problem.name;
    }
  }
  EXPECT_GT(feasible, 500);
  EXPECT_GT(infeasible, 200);
}

TEST_P(SearchContract, ReportsTheCostsThatThePlanSpends) {
  const Problem problem = LargeProblem(3, 20, 5, 2);
  const Solution solution = Solve(problem);
  ASSERT_EQ(solution.costs.size(), 2u);
  for (const auto& [cost, spent] : solution.costs) EXPECT_EQ(spent, Spent(problem, cost, solution.choices));
}

TEST_P(SearchContract, ReportsTheGapBetweenObjectiveAndBound) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Solution solution = Solve(LargeProblem(seed, 12, 5, 3));
    EXPECT_NEAR(solution.gap, (solution.objective - solution.bound) / std::abs(solution.objective), 1e-12);
    EXPECT_EQ(solution.status, solution.gap > 0 ? SolutionStatus::Feasible : SolutionStatus::Optimal);
  }
}

TEST_P(SearchContract, StaysWithinBudgetsAndTellsTheTruthOnRealProblems) {
  for (const auto& name : HawqInstances()) {
    const auto [problem, optimum] = ReadInstance(name);
    const Solution solution = Solve(problem);
    ASSERT_FALSE(solution.choices.empty()) << name;
    EXPECT_TRUE(WithinBudgets(problem, solution.choices)) << name;
    EXPECT_GE(solution.objective, optimum * (1 - 1e-12)) << name;
    EXPECT_LE(solution.bound, optimum * (1 + 1e-12)) << name;
  }
}

TEST_P(SearchContract, GivesEqualResultsForEqualProblems) {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const Problem problem = LargeProblem(seed, 15, 6, 3);
    const Solution first = Solve(problem), second = Solve(problem);
    EXPECT_EQ(first.choices, second.choices);
    EXPECT_EQ(first.objective, second.objective);
    EXPECT_EQ(first.bound, second.bound);
    EXPECT_EQ(first.nodes, second.nodes);
  }
}

TEST_P(SearchContract, TakesTheLeastObjectiveWithoutBudgets) {
  Problem problem = LargeProblem(1, 30, 7, 2);
  problem.budgets.clear();
  double least = 0;
  for (const auto& group : problem.groups) {
    double best = group.choices[0].objective;
    for (const auto& choice : group.choices) best = std::min(best, choice.objective);
    least += best;
  }
  const Solution solution = Solve(problem);
  EXPECT_EQ(solution.status, SolutionStatus::Optimal);
  EXPECT_NEAR(solution.objective, least, 1e-12 * least);
  EXPECT_EQ(solution.costs.size(), 2u);
}

TEST_P(SearchContract, CountsASumAtTheBudgetAsWithinItDespiteRounding) {
  Problem problem;  // 0.1 + 0.2 is above 0.3 in floating point
  problem.groups = {{"a", {}, {{"x", 1, {{"c", 0.1}}}, {"y", 9, {{"c", 0.0}}}}},
                    {"b", {}, {{"x", 1, {{"c", 0.2}}}, {"y", 9, {{"c", 0.0}}}}}};
  problem.budgets = {{"c", 0.3}};
  EXPECT_EQ(Solve(problem).objective, 2);
  problem.budgets = {{"c", 0.3 * (1 - 1e-8)}};
  EXPECT_EQ(Solve(problem).objective, 10);
}

TEST_P(SearchContract, ReportsProgressThatStaysInItsRange) {
  int calls = 0;
  std::int64_t last = 0;
  SearchOptions options{.method = GetParam()};
  options.progress = [&](const Progress& progress) {
    ++calls;
    EXPECT_GE(progress.done, 0);
    EXPECT_LE(progress.done, progress.total);
    EXPECT_FALSE(progress.stage.empty());
    last = progress.done;
  };
  Search(LargeProblem(2, 25, 6, 3), options);
  EXPECT_GE(calls, 1);
}

struct Stop {};

TEST_P(SearchContract, PassesOnWhatTheProgressCallbackThrows) {
  SearchOptions options{.method = GetParam()};
  options.progress = [](const Progress&) { throw Stop{}; };
  EXPECT_THROW(Search(LargeProblem(2, 25, 6, 3), options), Stop);
}

TEST_P(SearchContract, ValidatesProblemAndOptions) {
  EXPECT_THROW(Solve(Problem{}), Error);
  const Problem problem = LargeProblem(1, 3, 3, 1);
  EXPECT_THROW(Search(problem, {.method = GetParam(), .gap = -1}), Error);
  EXPECT_THROW(Search(problem, {.method = GetParam(), .gap = std::nan("")}), Error);
  EXPECT_THROW(Search(problem, {.method = GetParam(), .time_limit_seconds = 0}), Error);
  EXPECT_THROW(Search(problem, {.method = GetParam(), .time_limit_seconds = std::nan("")}), Error);
}

std::string NameOf(const testing::TestParamInfo<std::string>& method) { return method.param; }

INSTANTIATE_TEST_SUITE_P(Methods, SearchContract, testing::ValuesIn(SearchRegistry().Names()), NameOf);

}  // namespace
}  // namespace bitplan::search_test
