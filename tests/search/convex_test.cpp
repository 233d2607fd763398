#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "bitplan/error.h"
#include "bitplan/search.h"
#include "search/brute_force.h"
#include "search/random_joint_problem.h"
#include "search/random_problem.h"

namespace bitplan::search_test {
namespace {

class ConvexSearch : public testing::TestWithParam<JointKind> {
 protected:
  double Slack(double value) const { return 1e-10 * std::max(1.0, std::abs(value)); }
};

TEST_P(ConvexSearch, EqualsBruteForce) {
  int feasible = 0;
  for (std::uint64_t seed = 0; seed < 600; ++seed) {
    const Problem problem = RandomJointProblem(seed, GetParam());
    const Truth truth = BruteForce(problem);
    const Solution solution = Search(problem, {.method = "convex"});
    ASSERT_EQ(solution.status, truth.feasible ? SolutionStatus::Optimal : SolutionStatus::Infeasible) << problem.name;
    if (!truth.feasible) continue;
    ++feasible;
    EXPECT_TRUE(WithinBudgets(problem, solution.choices)) << problem.name;
    EXPECT_NEAR(solution.objective, Objective(problem, solution.choices), Slack(truth.optimum)) << problem.name;
    EXPECT_NEAR(ObjectiveOf(problem, solution.choices), solution.objective, Slack(truth.optimum)) << problem.name;
    EXPECT_NEAR(solution.objective, truth.optimum, Slack(truth.optimum)) << problem.name;
    EXPECT_LE(solution.bound, truth.optimum + Slack(truth.optimum)) << problem.name;
  }
  EXPECT_GT(feasible, 200);
}

/// Shifts that are about as large as each other and point everywhere.
Problem HardProblem(JointKind kind) {
  Problem problem = LargeProblem(5, 24, 6, 2);
  for (auto& group : problem.groups)
    for (auto& choice : group.choices) choice.objective = 0;
  std::mt19937_64 random(3);
  std::normal_distribution<float> normal;
  LogitTerm term{.loss = LogitLoss::SquaredShift, .temperature = 2, .samples = 12, .classes = 4};
  if (kind == JointKind::Divergence) {
    term.loss = LogitLoss::Divergence;
    for (std::size_t i = 0; i < term.samples * term.classes; ++i) term.logits.push_back(normal(random));
  }
  for (std::size_t i = 0; i < problem.ChoiceCount() * term.samples * term.classes; ++i)
    term.shifts.push_back(0.3F + normal(random));
  problem.joint = term;
  return problem;
}

TEST_P(ConvexSearch, StopsAtItsTimeLimitWithATrueBound) {
  const Problem problem = HardProblem(GetParam());
  double objective = std::numeric_limits<double>::infinity();
  for (const double limit : {1e-9, 1e-3, 0.05, 0.5, 2.0}) {
    const Solution solution = Search(problem, {.method = "convex", .time_limit_seconds = limit});
    EXPECT_NE(solution.status, SolutionStatus::Optimal);  // that would take years
    EXPECT_LE(solution.bound, solution.objective);
    if (solution.choices.empty()) continue;
    EXPECT_TRUE(WithinBudgets(problem, solution.choices));
    objective = std::min(objective, solution.objective);
    EXPECT_LE(solution.bound, objective);
  }
}

TEST_P(ConvexSearch, BoundsTheOptimumHoweverShortTheTime) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const Problem problem = RandomJointProblem(seed, GetParam());
    const Truth truth = BruteForce(problem);
    if (!truth.feasible) continue;
    for (const double limit : {1e-12, 1e-5, 1e-4, 3e-4, 1e-3}) {
      const Solution solution = Search(problem, {.method = "convex", .time_limit_seconds = limit});
      EXPECT_LE(solution.bound, truth.optimum + Slack(truth.optimum)) << problem.name << " at " << limit;
      if (!solution.choices.empty()) {
        EXPECT_TRUE(WithinBudgets(problem, solution.choices));
      }
    }
  }
}

TEST_P(ConvexSearch, StopsAtTheGapAskedFor) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const Problem problem = RandomJointProblem(seed, GetParam());
    const Truth truth = BruteForce(problem);
    if (!truth.feasible) continue;
    const Solution solution = Search(problem, {.method = "convex", .gap = 0.1});
    EXPECT_EQ(solution.status, SolutionStatus::Optimal);
    EXPECT_LE(solution.gap, 0.1);
    EXPECT_LE(solution.bound, truth.optimum + Slack(truth.optimum)) << problem.name;
    EXPECT_LE(solution.objective - truth.optimum, 0.1 * std::abs(solution.objective) + Slack(truth.optimum))
        << problem.name;
  }
}

TEST_P(ConvexSearch, PricesTheBudgetsAlsoWhereTheFirstRelaxationProvesThePlan) {
  int proven_at_once = 0, priced = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const Problem problem = RandomJointProblem(seed, GetParam());
    const Solution solution = Search(problem, {.method = "convex", .gap = 0.5});
    const Solution optimum = Search(problem, {.method = "convex"});
    if (solution.status == SolutionStatus::Infeasible) continue;
    proven_at_once += solution.nodes == 0;
    for (const auto& [budget, price] : optimum.shadow_prices) {
      ASSERT_TRUE(solution.shadow_prices.contains(budget)) << problem.name;
      EXPECT_GE(solution.shadow_prices.at(budget), 0) << problem.name;
      ++priced;
    }
    EXPECT_EQ(solution.shadow_prices.size(), optimum.shadow_prices.size()) << problem.name;
  }
  EXPECT_GT(proven_at_once, 10);
  EXPECT_GT(priced, 30);
}

TEST_P(ConvexSearch, TakesGroupsOfOneChoiceAsPinned) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Problem problem = RandomProblem(seed);
    for (std::size_t g = 0; g < problem.groups.size(); g += 2) problem.groups[g].choices.resize(1);
    problem.joint = RandomJointTerm(seed, GetParam(), problem.ChoiceCount());
    const Truth truth = BruteForce(problem);
    const Solution solution = Search(problem, {.method = "convex"});
    ASSERT_EQ(solution.status, truth.feasible ? SolutionStatus::Optimal : SolutionStatus::Infeasible) << problem.name;
    if (truth.feasible) {
      EXPECT_NEAR(solution.objective, truth.optimum, Slack(truth.optimum)) << problem.name;
    }
  }
}

TEST_P(ConvexSearch, GivesEqualResultsForEqualProblems) {
  const Problem problem = RandomJointProblem(11, GetParam());
  const SearchOptions options{.method = "convex"};
  const Solution first = Search(problem, options), second = Search(problem, options);
  EXPECT_EQ(first.choices, second.choices);
  EXPECT_EQ(first.objective, second.objective);
  EXPECT_EQ(first.nodes, second.nodes);
}

TEST_P(ConvexSearch, IsTheOnlyMethodThatTakesAJointTerm) {
  const Problem problem = RandomJointProblem(11, GetParam());
  for (const char* method : {"greedy", "exact"}) EXPECT_THROW(Search(problem, {.method = method}), Error);
}

struct StopRegions {};

TEST_P(ConvexSearch, CanBeStoppedInTheMiddle) {
  int calls = 0;
  SearchOptions options{.method = "convex"};
  options.progress = [&](const Progress& progress) {
    EXPECT_LE(progress.done, progress.total);
    if (++calls == 4) throw StopRegions{};
  };
  EXPECT_THROW(Search(HardProblem(GetParam()), options), StopRegions);
}

std::string NameOf(const testing::TestParamInfo<JointKind>& kind) {
  constexpr const char* kNames[] = {"Matrix", "SquaredShift", "Divergence"};
  return kNames[static_cast<std::size_t>(kind.param)];
}

INSTANTIATE_TEST_SUITE_P(Kinds, ConvexSearch,
                         testing::Values(JointKind::Matrix, JointKind::SquaredShift, JointKind::Divergence), NameOf);

}  // namespace
}  // namespace bitplan::search_test
