#include <gtest/gtest.h>

#include <limits>

#include "bitplan/search.h"
#include "search/brute_force.h"
#include "search/random_problem.h"

namespace bitplan::search_test {
namespace {

/// Objectives all but proportional to the cost: the bound is tight everywhere and nothing can be ruled out.
Problem HardProblem(int groups) {
  Problem problem = LargeProblem(9, groups, 5, 4);
  for (auto& group : problem.groups)
    for (auto& choice : group.choices) {
      double sum = 0;
      for (const auto& [cost, value] : choice.costs) sum += value;
      choice.objective = 100 - sum + 0.1 * choice.objective;
    }
  return problem;
}

TEST(AnytimeSearch, StopsAtItsTimeLimitWithATrueBound) {
  const Problem problem = HardProblem(40);
  const Solution solution = Search(problem, {.time_limit_seconds = 0.3});
  EXPECT_EQ(solution.status, SolutionStatus::Feasible);
  EXPECT_GT(solution.gap, 0);
  EXPECT_LT(solution.bound, solution.objective);
  EXPECT_TRUE(WithinBudgets(problem, solution.choices));
}

void CheckStopped(const Problem& problem, const Truth& truth, const Solution& solution) {
  if (solution.status == SolutionStatus::Infeasible) {
    EXPECT_FALSE(truth.feasible);
    return;
  }
  if (truth.feasible) {
    EXPECT_LE(solution.bound, truth.optimum * (1 + 1e-12));
  }
  EXPECT_EQ(solution.choices.empty(), solution.status == SolutionStatus::Unknown);
  if (solution.choices.empty()) return;
  EXPECT_TRUE(WithinBudgets(problem, solution.choices));
  EXPECT_LE(solution.bound, solution.objective);
}

TEST(AnytimeSearch, GivesATrueBoundHoweverShortTheTime) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    const Problem problem = LargeProblem(seed, 6, 5, 3);
    const Truth truth = BruteForce(problem);
    for (const double limit : {1e-12, 1e-5, 1e-4, 1e-3})
      for (const char* method : {"greedy", "exact"})
        CheckStopped(problem, truth, Search(problem, {.method = method, .time_limit_seconds = limit}));
  }
}

TEST(AnytimeSearch, ImprovesWithTime) {
  const Problem problem = HardProblem(40);
  const Solution brief = Search(problem, {.time_limit_seconds = 0.05});
  const Solution longer = Search(problem, {.time_limit_seconds = 3});
  EXPECT_LE(longer.objective, brief.objective);
  EXPECT_GE(longer.bound, brief.bound);
  EXPECT_LE(longer.gap, brief.gap);
  EXPECT_GT(longer.nodes, brief.nodes);
}

TEST(AnytimeSearch, SaysUnknownWhenTimeIsUpBeforeAnythingIsProven) {
  // Half of the groups would have to take y, of an odd number of groups: there is no plan, which takes a search to
  // prove.
  Problem problem;
  for (int g = 0; g < 15; ++g)
    problem.groups.push_back(
        {"g" + std::to_string(g), {}, {{"x", 2, {{"c", 0}, {"d", 3}}}, {"y", 1, {{"c", 2}, {"d", 0}}}}});
  problem.budgets = {{"c", 15}, {"d", 22.5}};
  for (const char* method : {"greedy", "exact"}) {
    const Solution solution = Search(problem, {.method = method, .time_limit_seconds = 1e-9});
    EXPECT_EQ(solution.status, SolutionStatus::Unknown);
    EXPECT_TRUE(solution.choices.empty());
    EXPECT_TRUE(solution.costs.empty());
    EXPECT_NEAR(solution.bound, 15, 1e-9);  // of 1 each
    EXPECT_EQ(solution.gap, std::numeric_limits<double>::infinity());
  }
}

TEST(AnytimeSearch, ReportsProgressOften) {
  int calls = 0;
  SearchOptions options{.time_limit_seconds = 1};
  options.progress = [&](const Progress&) { ++calls; };
  Search(HardProblem(40), options);
  EXPECT_GE(calls, 3);    // of fifty, on a machine that has time for it
  EXPECT_LE(calls, 200);  // and not so often that it costs time
}

TEST(AnytimeSearch, ProgressNeverGoesBack) {
  std::int64_t last = -1;
  std::string stage;
  SearchOptions options{.time_limit_seconds = 0.5};
  options.progress = [&](const Progress& progress) {
    if (progress.stage != stage) last = -1;
    stage = progress.stage;
    EXPECT_GE(progress.done, last);
    last = progress.done;
  };
  Search(HardProblem(40), options);
}

struct StopInTime {};

TEST(AnytimeSearch, CanBeStoppedInTheMiddle) {
  int calls = 0;
  SearchOptions options;
  options.progress = [&](const Progress&) {
    if (++calls == 5) throw StopInTime{};
  };
  EXPECT_THROW(Search(HardProblem(40), options), StopInTime);
}

}  // namespace
}  // namespace bitplan::search_test
