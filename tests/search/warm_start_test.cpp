#include "search/warm_start.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "bitplan/error.h"
#include "search/brute_force.h"
#include "search/random_joint_problem.h"

namespace bitplan::search_test {
namespace {

using search::SearchFrom;

constexpr auto kNoLimit = std::numeric_limits<std::int64_t>::max();

class WarmStart : public testing::TestWithParam<JointKind> {
 protected:
  static double Slack(double value) { return 1e-10 * std::max(1.0, std::abs(value)); }
};

TEST_P(WarmStart, FindsTheOptimumFromAnyPlan) {
  int solved = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const Problem problem = RandomJointProblem(seed, GetParam());
    const Truth truth = BruteForce(problem);
    if (!truth.feasible) continue;
    const auto plans = AllPlans(problem);
    for (const std::size_t number : {std::size_t{0}, plans.size() / 2, plans.size() - 1}) {
      const Solution solution = SearchFrom(problem, {plans[number], kNoLimit}, {});
      EXPECT_EQ(solution.status, SolutionStatus::Optimal) << problem.name;
      EXPECT_NEAR(solution.objective, truth.optimum, Slack(truth.optimum)) << problem.name;
      ++solved;
    }
  }
  EXPECT_GT(solved, 300);
}

TEST_P(WarmStart, NeverEndsAboveItsPlanNorPassesItsNodes) {
  int stopped = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const Problem problem = RandomJointProblem(seed, GetParam());
    const Truth truth = BruteForce(problem);
    if (!truth.feasible) continue;
    const std::vector<std::size_t> plan = AllPlans(problem).back();
    const Solution solution = SearchFrom(problem, {plan, 1}, {});
    EXPECT_LE(solution.nodes, 1);
    EXPECT_TRUE(WithinBudgets(problem, solution.choices) && KeepsRules(problem, solution.choices)) << problem.name;
    EXPECT_LE(solution.objective, Objective(problem, plan) + Slack(truth.optimum)) << problem.name;
    EXPECT_LE(solution.bound, truth.optimum + Slack(truth.optimum)) << problem.name;
    stopped += solution.status == SolutionStatus::Feasible ? 1 : 0;
  }
  EXPECT_GT(stopped, 0);
}

INSTANTIATE_TEST_SUITE_P(Kinds, WarmStart,
                         testing::Values(JointKind::Matrix, JointKind::SquaredShift, JointKind::Divergence));

/// Two groups; both may not take their second choice together.
Problem TwoGroups() {
  Problem problem{"two",
                  "loss",
                  {{"a", {}, {{"x", 1, {{"size", 1}}}, {"y", 0, {{"size", 3}}}}},
                   {"b", {}, {{"x", 1, {{"size", 1}}}, {"y", 0, {{"size", 3}}}}}},
                  {{"size", 4}}};
  problem.joint = QuadraticTerm{{1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1}};
  return problem;
}

TEST(WarmStart, RefusesWhatIsNoPlanOfTheProblem) {
  const auto from = [](const Problem& problem, const std::vector<std::size_t>& plan) {
    return [=] { SearchFrom(problem, {plan, 1}, {}); };
  };
  const auto says = [](const char* text) { return testing::ThrowsMessage<Error>(testing::HasSubstr(text)); };
  EXPECT_NO_THROW(from(TwoGroups(), {0, 1})());
  EXPECT_THAT(from(TwoGroups(), {1, 1}), says("not within the budgets"));
  EXPECT_THAT(from(TwoGroups(), {0}), says("2 groups"));
  Problem ruled = TwoGroups();
  ruled.rules = {{{"a", "b"}, {{"x", "x"}, {"y", "x"}}}};
  EXPECT_NO_THROW(from(ruled, {1, 0})());
  EXPECT_THAT(from(ruled, {0, 1}), says("breaks a rule"));
  Problem separable = TwoGroups();
  separable.joint.reset();
  EXPECT_THAT(from(separable, {0, 1}), says("joint term"));
}

}  // namespace
}  // namespace bitplan::search_test
