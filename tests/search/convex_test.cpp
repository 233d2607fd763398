#include <gtest/gtest.h>

#include <cmath>

#include "bitplan/error.h"
#include "bitplan/search.h"
#include "search/brute_force.h"
#include "search/random_joint_problem.h"
#include "search/random_problem.h"

namespace bitplan::search_test {
namespace {

class ConvexSearch : public testing::TestWithParam<JointKind> {
 protected:

  double Slack(double value) const {
    return 1e-10 * std::max(1.0, std::abs(value));
  }
};

TEST_P(ConvexSearch, EqualsBruteForce) {
  int feasible = 0;
  for (std::uint64_t seed = 0; seed < 600; ++seed) {
    const Problem problem = RandomJointProblem(seed, GetParam());
    const Truth truth = BruteForce(problem);
    const Solution solution = Search(problem, {.method = SearchMethod::Convex});
    ASSERT_EQ(solution.status, truth.feasible ? SolutionStatus::Optimal : SolutionStatus::Infeasible) << problem.name;
    if (!truth.feasible) continue;
    ++feasible;
    EXPECT_TRUE(WithinBudgets(problem, solution.choices)) << problem.name;
    EXPECT_NEAR(solution.objective, Objective(problem, solution.choices), Slack(truth.optimum)) << problem.name;
    EXPECT_NEAR(solution.objective, truth.optimum, Slack(truth.optimum)) << problem.name;
    EXPECT_LE(solution.bound, truth.optimum + Slack(truth.optimum)) << problem.name;
  }
  EXPECT_GT(feasible, 200);
}

std::string NameOf(const testing::TestParamInfo<JointKind>& kind) {
  constexpr const char* kNames[] = {"Matrix", "SquaredShift", "Divergence"};
  return kNames[static_cast<std::size_t>(kind.param)];
}

INSTANTIATE_TEST_SUITE_P(Kinds, ConvexSearch,
                         testing::Values(JointKind::Matrix, JointKind::SquaredShift, JointKind::Divergence), NameOf);

}  // namespace
}  // namespace bitplan::search_test
