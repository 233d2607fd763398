#include "bitplan/robustness.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "bitplan/error.h"
#include "search/brute_force.h"
#include "search/random_joint_problem.h"
#include "search/random_problem.h"

namespace bitplan::search_test {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

std::size_t Distance(const std::vector<std::size_t>& a, const std::vector<std::size_t>& b) {
  std::size_t distance = 0;
  for (std::size_t g = 0; g < a.size(); ++g) distance += a[g] != b[g];
  return distance;
}

/// The best plan that is far enough from those before it, again and again, by trying all.
void ExpectBestPlans(const Problem& problem, const std::vector<Solution>& plans, std::size_t count,
                     std::size_t distance) {
  std::vector<std::vector<std::size_t>> left = AllPlans(problem);
  for (std::size_t k = 0; k < count; ++k) {
    if (left.empty()) {
      EXPECT_EQ(plans.size(), std::max<std::size_t>(k, 1)) << problem.name;
      return;
    }
    ASSERT_GT(plans.size(), k) << problem.name;
    const Solution& plan = plans[k];
    double best = std::numeric_limits<double>::infinity();
    for (const auto& choices : left) best = std::min(best, Objective(problem, choices));
    EXPECT_NEAR(plan.objective, best, 1e-10 * std::max(1.0, std::abs(best))) << problem.name << " plan " << k;
    EXPECT_NEAR(plan.objective, Objective(problem, plan.choices), 1e-10 * std::max(1.0, std::abs(best)));
    EXPECT_EQ(plan.costs.size(), problem.groups[0].choices[0].costs.size());
    EXPECT_TRUE(std::find(left.begin(), left.end(), plan.choices) != left.end()) << problem.name << " plan " << k;
    std::erase_if(left, [&](const auto& choices) { return Distance(choices, plan.choices) < distance; });
  }
}

TEST(BestPlans, AgreeWithBruteForce) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const Problem problem = RandomProblem(seed);
    const std::size_t distance = 1 + seed % problem.groups.size();
    ExpectBestPlans(problem, BestPlans(problem, 4, distance, {}), 4, distance);
  }
}

TEST(BestPlans, TakeRulesPricesAndJointTerms) {
  for (std::uint64_t seed = 0; seed < 80; ++seed) {
    Problem problem = RandomJointProblem(seed, JointKind::Matrix);
    AddRandomRulesAndPrices(seed, problem);
    if (!BruteForce(problem).keeps_rules) continue;
    ExpectBestPlans(problem, BestPlans(problem, 3, 1, {.method = "convex"}), 3, 1);
  }
}

TEST(BestPlans, AreFewerWhereThereAreNoMore) {
  Problem problem;
  problem.groups = {{"a", {}, {{"x", 1, {{"c", 1}}}, {"y", 2, {{"c", 1}}}}}};
  EXPECT_EQ(BestPlans(problem, 5, 1, {}).size(), 2u);
  problem.budgets = {{"c", 0.5}};
  const auto none = BestPlans(problem, 5, 1, {});
  ASSERT_EQ(none.size(), 1u);
  EXPECT_EQ(none[0].status, SolutionStatus::Infeasible);
}

TEST(BestPlans, NameWhatIsOutOfRange) {
  const Problem problem = LargeProblem(1, 3, 3, 1);
  EXPECT_THAT([&] { BestPlans(problem, 0, 1, {}); }, ThrowsMessage<Error>(HasSubstr("count")));
  EXPECT_THAT([&] { BestPlans(problem, 1, 0, {}); }, ThrowsMessage<Error>(HasSubstr("distance")));
  EXPECT_THAT([&] { BestPlans(problem, 1, 4, {}); }, ThrowsMessage<Error>(HasSubstr("1 to the number of groups, 3")));
}

/// One choice is better by `difference`; both are known to `error`.
Group Pair(const char* name, double difference, double error) {
  return {name, {}, {{"x", 1, {{"c", 1}}, error}, {"y", 1 + difference, {{"c", 1}}, error}}};
}

TEST(NoiseChanges, IsTheChanceThatTheNoiseTurnsAChoice) {
  Problem problem;
  problem.groups = {Pair("sure", 1, 0), Pair("open", 0.1, 0.1), Pair("even", 1e-9, 5), Pair("clear", 1, 0.1)};
  const NoiseChanges noise_changes = ChangesUnderNoise(problem, {0, 0, 0, 0}, {.draws = 4000, .seed = 3}, {});
  EXPECT_EQ(noise_changes.draws, 4000);
  EXPECT_EQ(noise_changes.changes[0], 0);
  const double expected = std::erfc(0.1 / (0.1 * std::sqrt(2.0)) / std::sqrt(2.0)) / 2;  // Φ(−difference / (error √2))
  EXPECT_NEAR(noise_changes.changes[1], expected, 4 * std::sqrt(expected * (1 - expected) / 4000));
  EXPECT_NEAR(noise_changes.changes[2], 0.5, 4 * std::sqrt(0.25 / 4000));
  EXPECT_LT(noise_changes.changes[3], 1e-3);
}

TEST(NoiseChanges, FollowsTheGroupsThatABudgetLinks) {
  Problem problem;  // one of two equal groups can have y
  for (const char* name : {"a", "b"})
    problem.groups.push_back({name, {}, {{"x", 1, {{"c", 0}}, 0.0}, {"y", 0, {{"c", 1}}, 0.1}}});
  problem.budgets = {{"c", 1}};
  const NoiseChanges noise_changes = ChangesUnderNoise(problem, {1, 0}, {.draws = 2000}, {});
  EXPECT_NEAR(noise_changes.changes[0], 0.5, 4 * std::sqrt(0.25 / 2000));
  EXPECT_EQ(noise_changes.changes[0], noise_changes.changes[1]);
}

TEST(NoiseChanges, IsTheSameForTheSameSeedAndCountsOnlyWhatWasDrawn) {
  Problem problem;
  problem.groups = {Pair("a", 0.1, 0.2), Pair("b", 0.2, 0.2)};
  const auto changes = [&](std::uint64_t seed) {
    return ChangesUnderNoise(problem, {0, 0}, {.draws = 50, .seed = seed}, {}).changes;
  };
  EXPECT_EQ(changes(1), changes(1));
  EXPECT_NE(changes(1), changes(2));
  const NoiseChanges stopped = ChangesUnderNoise(problem, {0, 0}, {}, {.stop = [] { return true; }});
  EXPECT_EQ(stopped.draws, 0);
  EXPECT_EQ(stopped.changes, std::vector<double>(2, 0.0));
  EXPECT_THROW(ChangesUnderNoise(problem, {0, 0}, {.draws = 0}, {}), Error);
  EXPECT_THROW(ChangesUnderNoise(problem, {0}, {}, {}), Error);
}

TEST(ShadowPrice, IsTheSlopeOfTheBound) {
  int binding = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const Problem problem = LargeProblem(seed, 12, 5, 3);
    const Solution solution = Search(problem, {});
    if (solution.choices.empty()) continue;
    ASSERT_EQ(solution.shadow_prices.size(), 3u);
    for (const auto& [cost, price] : solution.shadow_prices) {
      const auto bound_at = [&](double share) {  // of the relaxation, which the greedy search reports
        Problem moved = problem;
        moved.budgets[cost] *= share;
        return Search(moved, {.method = "greedy"}).bound;
      };
      const double step = 1e-6 * problem.budgets.at(cost);
      EXPECT_NEAR(price, (bound_at(1 - 1e-6) - bound_at(1 + 1e-6)) / (2 * step), 1e-4 * std::max(price, 1e-3))
          << problem.name;
      binding += price > 0;
    }
  }
  EXPECT_GT(binding, 40);
}

TEST(ShadowPrice, IsZeroForBudgetsThatCannotBind) {
  Problem problem = LargeProblem(1, 8, 4, 2);
  problem.budgets["cost1"] = 1e9;
  EXPECT_EQ(Search(problem, {}).shadow_prices.at("cost1"), 0);
}

TEST(Search, StopsWhenAskedToWithABoundThatHolds) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    const Problem problem = LargeProblem(seed, 6, 5, 3);
    const Truth truth = BruteForce(problem);
    int asked = 0;
    const Solution solution = Search(problem, {.stop = [&] { return ++asked > 0; }});
    EXPECT_GE(asked, 1);
    if (!truth.feasible) continue;
    EXPECT_NE(solution.status, SolutionStatus::Infeasible);
    EXPECT_LE(solution.bound, truth.optimum * (1 + 1e-12));
  }
}

}  // namespace
}  // namespace bitplan::search_test
