#include "lists/plan_lists.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "bitplan/search.h"
#include "brute_force.h"
#include "random_problem.h"
#include "tree/feasibility.h"

namespace bitplan::search {
namespace {

using search_test::BruteForce;
using search_test::RandomProblem;
using search_test::Truth;

/// Losses that follow from what choices cost: a constant less the mean cost, times 1 ± `noise`; costs even numbers
/// times 1 ± `noise_of_costs`, budgets half way up.
Problem Correlated(std::uint64_t seed, int groups, int choices, int budgets, double noise, double noise_of_costs) {
  std::mt19937_64 random(seed);
  const auto even = [&] { return 2.0 * static_cast<double>(1 + random() % 50); };
  const auto about_one = [&](double by) { return 1 + by * (static_cast<double>(random() % 2001) / 1000 - 1); };
  Problem problem;
  problem.name = "correlated " + std::to_string(seed);
  for (int i = 0; i < budgets; ++i) problem.budgets["cost" + std::to_string(i)] = 0;
  for (int g = 0; g < groups; ++g) {
    Group group{"g" + std::to_string(g), {}, {}};
    std::map<std::string, std::vector<double>> costs;
    for (auto& [name, limit] : problem.budgets) {
      for (int c = 0; c < choices; ++c) costs[name].push_back(even());
      std::sort(costs[name].begin(), costs[name].end());
      limit += 0.5 * (costs[name].front() + costs[name].back());
    }
    for (int c = 0; c < choices; ++c) {
      Choice choice{"c" + std::to_string(c), 0, {}};
      double mean = 0;
      for (const auto& [name, of_choices] : costs) {
        const double cost = of_choices[static_cast<std::size_t>(c)];
        mean += cost / budgets;
        choice.costs[name] = cost * about_one(noise_of_costs);
      }
      choice.objective = (120 - mean) * about_one(noise);
      group.choices.push_back(choice);
    }
    problem.groups.push_back(group);
  }
  return problem;
}

void ExpectTruth(const Problem& problem, double gap, std::size_t most, int& tried, int& proven) {
  const Truth truth = BruteForce(problem);
  if (!truth.feasible) return;
  const Core core = BuildCore(problem, Goal::Loss);
  if (core.budgets() < 1 || core.budgets() > kMostBudgetsOfLists || core.groups() == 0) return;
  Monitor monitor({.time_limit_seconds = 60});
  const Node root = SolveRoot(core, monitor);
  CorePlan any;  // some plan within the budgets, far from the best
  for (const auto& choices : search_test::AllPlans(problem)) {
    const auto known = [&](std::size_t g) {
      return std::any_of(core.choice.begin() + core.first[g], core.choice.begin() + core.first[g + 1],
                         [&](Index choice) { return choice == choices[g]; });
    };
    bool all = true;
    for (std::size_t g = 0; g < core.groups(); ++g) all = all && known(g);
    if (all) any = PlanOf(core, choices);
  }
  ASSERT_FALSE(any.empty());
  ++tried;
  Incumbent start;
  start.Offer(core, any);
  const TreeResult result = SearchByLists(core, root, gap, start, most, monitor);
  const auto in_problem = [&](double value) { return value * core.loss_scale + core.loss_shift; };
  const double slack = 1e-12 * std::max(1.0, std::abs(truth.optimum)), allowed = gap * std::abs(truth.optimum);
  const double found = search_test::Objective(problem, result.best.choices);
  EXPECT_TRUE(search_test::WithinBudgets(problem, result.best.choices)) << problem.name;
  EXPECT_NEAR(found, in_problem(result.best.value), slack) << problem.name;
  EXPECT_GE(found, truth.optimum - slack) << problem.name;
  EXPECT_LE(in_problem(result.bound), truth.optimum + slack) << problem.name;
  if (!result.complete) return;
  ++proven;
  EXPECT_LE(found, truth.optimum + allowed + slack) << problem.name;
}

TEST(PlanLists, ProveWhatBruteForceFinds) {
  for (const double gap : {0.0, 1e-3, 0.1}) {
    int tried = 0, proven = 0;
    for (std::uint64_t seed = 0; seed < 600; ++seed) ExpectTruth(RandomProblem(seed), gap, 1 << 20, tried, proven);
    for (std::uint64_t seed = 0; seed < 60; ++seed)
      ExpectTruth(
          Correlated(seed, 6, 4, 1 + static_cast<int>(seed % 2), seed % 3 == 0 ? 0 : 1e-3, seed % 5 == 0 ? 0.01 : 0),
          gap, 1 << 20, tried, proven);
    EXPECT_GT(tried, 100);
    EXPECT_EQ(proven, tried) << gap;
  }
}

TEST(PlanLists, TellTheTruthWhereTheyAreTooShort) {
  int tried = 0, proven = 0;
  for (const std::size_t most : {1, 2, 5})
    for (std::uint64_t seed = 0; seed < 200; ++seed)
      ExpectTruth(Correlated(seed, 6, 4, 1 + static_cast<int>(seed % 2), 0.1, 0.01), 0, most, tried, proven);
  EXPECT_LT(proven, tried);
}

TEST(RemoveBeaten, LeavesWhatNothingBeats) {
  std::mt19937 random(5);
  for (int round = 0; round < 200; ++round) {
    std::vector<PartialPlan> plans;
    for (int i = 0; i < 30; ++i) {
      PartialPlan plan;
      plan.loss = static_cast<double>(random() % 8);
      plan.cost = {static_cast<double>(random() % 8), round % 2 == 0 ? 0.0 : static_cast<double>(random() % 8)};
      plan.origin = static_cast<std::uint32_t>(i);
      plans.push_back(plan);
    }
    std::stable_sort(plans.begin(), plans.end(), [](const auto& a, const auto& b) { return a.cost[0] < b.cost[0]; });
    std::vector<PartialPlan> left = plans;
    RemoveBeaten(left, 0);
    const auto beats = [](const PartialPlan& a, const PartialPlan& b) {
      return a.loss <= b.loss && a.cost[0] <= b.cost[0] && a.cost[1] <= b.cost[1];
    };
    for (const PartialPlan& plan : plans)
      EXPECT_TRUE(std::any_of(left.begin(), left.end(), [&](const auto& other) { return beats(other, plan); }));
    EXPECT_LT(left.size(), plans.size());
  }
}

TEST(ExactSearch, ProvesPlansThatAllButEqualEachOtherInFewNodes) {
  for (std::uint64_t seed = 0; seed < 3; ++seed)
    for (const auto& [groups, choices, noise] :
         {std::tuple{217, 3, 0.0}, {217, 2, 1e-6}, {13, 12, 0.0}, {86, 4, 0.0}}) {
      const Problem problem = Correlated(seed, groups, choices, 1, noise, 0.01);
      const Solution solution = Search(problem, {.gap = 1e-6, .time_limit_seconds = 60});
      EXPECT_EQ(solution.status, SolutionStatus::Optimal) << problem.name;
      EXPECT_LT(solution.nodes, 20'000) << problem.name << ' ' << groups;
    }
}

TEST(ExactSearch, StopsItsListsWhenAsked) {
  const Problem problem = Correlated(1, 400, 12, 2, 1e-8, 1e-6);
  int asked = 0;
  SearchOptions options{.time_limit_seconds = 600};
  options.stop = [&] { return ++asked > 20; };
  const Solution solution = Search(problem, options);
  EXPECT_LT(solution.seconds, 20);
  EXPECT_LE(solution.bound, solution.objective);
}

}  // namespace
}  // namespace bitplan::search
