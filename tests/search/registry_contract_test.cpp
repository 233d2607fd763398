// What is promised of every search that is registered, by its traits. Compiled into the tests of each room that brings
// searches, which say what they register (registered_searches.h).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "bitplan/error.h"
#include "search/brute_force.h"
#include "search/random_joint_problem.h"
#include "search/random_problem.h"
#include "search/registered_searches.h"

namespace bitplan::search_test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

double RegistrySlack(double value) { return 1e-9 * std::max(1.0, std::abs(value)); }

class RegisteredSearch : public testing::TestWithParam<std::string> {
 protected:
  SearchTraits traits() const { return searches_.Get(GetParam()).traits(); }
  Solution Solve(const Problem& problem) const { return searches_.Solve(problem, {.method = GetParam()}); }

  void ExpectTheTruth(const Problem& problem, const Truth& truth) const {
    const Solution solution = Solve(problem);
    EXPECT_EQ(solution.method, GetParam());
    ASSERT_EQ(solution.status == SolutionStatus::Infeasible, !truth.feasible) << problem.name;
    EXPECT_EQ(solution.choices.empty(), !truth.feasible) << problem.name;
    if (!truth.feasible) return;
    const double slack = RegistrySlack(truth.optimum);
    EXPECT_TRUE(WithinBudgets(problem, solution.choices)) << problem.name;
    EXPECT_TRUE(KeepsRules(problem, solution.choices)) << problem.name;
    EXPECT_NEAR(solution.objective, Objective(problem, solution.choices), slack) << problem.name;
    EXPECT_LE(solution.bound, solution.objective) << problem.name;
    EXPECT_LE(solution.bound, truth.optimum + slack) << problem.name;
    EXPECT_GE(solution.objective, truth.optimum - slack) << problem.name;
    if (!traits().proves_optimum) return;
    EXPECT_EQ(solution.status, SolutionStatus::Optimal) << problem.name;
    EXPECT_NEAR(solution.objective, truth.optimum, slack) << problem.name;
    EXPECT_NEAR(solution.bound, truth.optimum, slack) << problem.name;
  }

  const SearchRegistry searches_ = RegisteredSearches();
};

TEST_P(RegisteredSearch, TellsTheTruthAndTheOptimumWhereItProvesIt) {
  int feasible = 0, infeasible = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    Problem problem = RandomProblem(seed);
    if (seed % 3 == 0) AddRandomRulesAndPrices(seed, problem);
    const Truth truth = BruteForce(problem);
    if (!truth.keeps_rules) continue;
    ExpectTheTruth(problem, truth);
    (truth.feasible ? feasible : infeasible) += 1;
  }
  EXPECT_GT(feasible, 15);
  EXPECT_GT(infeasible, 5);
}

TEST_P(RegisteredSearch, TakesAJointTermOrRefusesItByName) {
  for (std::uint64_t seed = 0; seed < 8; ++seed)
    for (const JointKind kind : {JointKind::Matrix, JointKind::SquaredShift, JointKind::Divergence}) {
      const Problem problem = RandomJointProblem(seed, kind);
      if (traits().takes_joint_term) {
        ExpectTheTruth(problem, BruteForce(problem));
      } else {
        EXPECT_THAT([&] { Solve(problem); }, ThrowsMessage<Error>(AllOf(HasSubstr(GetParam()), HasSubstr("joint term"),
                                                                        HasSubstr("takes method convex"))));
      }
    }
}

TEST_P(RegisteredSearch, ChecksProblemAndOptions) {
  EXPECT_THROW(Solve(Problem{}), Error);
  EXPECT_THROW(searches_.Solve(LargeProblem(1, 3, 3, 1), {.method = GetParam(), .gap = -1}), Error);
}

TEST_P(RegisteredSearch, IsFoundByItsName) {
  EXPECT_EQ(searches_.Get(GetParam()).name(), GetParam());
  EXPECT_THAT(searches_.Names(), testing::Contains(GetParam()));
  const auto joint = searches_.NamesForJointTerms();
  EXPECT_EQ(std::count(joint.begin(), joint.end(), GetParam()), traits().takes_joint_term ? 1 : 0);
}

INSTANTIATE_TEST_SUITE_P(Methods, RegisteredSearch, testing::ValuesIn(RegisteredSearches().Names()),
                         [](const auto& method) { return method.param; });

}  // namespace
}  // namespace bitplan::search_test
