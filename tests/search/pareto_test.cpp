#include "bitplan/pareto.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "bitplan/error.h"
#include "search/brute_force.h"
#include "search/random_joint_problem.h"
#include "search/random_problem.h"
#include "search/read_instance.h"

namespace bitplan::search_test {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

/// Objective and costs of a plan.
using Figures = std::vector<double>;

Figures FiguresOf(const Problem& problem, const std::vector<std::size_t>& choices,
                  const std::vector<ParetoAxis>& axes) {
  Figures figures{Objective(problem, choices)};
  for (const ParetoAxis& axis : axes) figures.push_back(Spent(problem, axis.cost, choices));
  return figures;
}

bool Dominates(const Figures& a, const Figures& b) {
  const double slack = 1e-9;
  bool less = false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] > b[i] + slack) return false;
    less = less || a[i] < b[i] - slack;
  }
  return less;
}

/// By rising cost, each once.
std::vector<Figures> TrueFront(const Problem& problem, const std::vector<ParetoAxis>& axes) {
  std::vector<Figures> all, front;
  for (const auto& plan : AllPlans(problem)) all.push_back(FiguresOf(problem, plan, axes));
  std::sort(all.begin(), all.end(), [](const Figures& a, const Figures& b) { return a[1] < b[1]; });
  for (const Figures& figures : all) {
    if (std::any_of(all.begin(), all.end(), [&](const Figures& other) { return Dominates(other, figures); })) continue;
    if (front.empty() || figures[1] > front.back()[1] + 1e-9) front.push_back(figures);
  }
  return front;
}

void ExpectTrueFront(const Problem& problem, const std::string& method) {
  const std::vector<ParetoAxis> axes{{.cost = "cost0"}};
  const std::vector<Figures> truth = TrueFront(problem, axes);
  ParetoOptions options{.axes = axes, .search = {.method = method}};
  const ParetoFront front = FindParetoFront(problem, options);
  EXPECT_TRUE(front.complete);
  ASSERT_EQ(front.points.size(), truth.size()) << problem.name;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    const Solution& solution = front.points[i].solution;
    EXPECT_NEAR(solution.objective, truth[i][0], 1e-9 * std::max(1.0, std::abs(truth[i][0]))) << problem.name;
    EXPECT_NEAR(solution.costs.at("cost0"), truth[i][1], 1e-9) << problem.name;
    EXPECT_EQ(solution.bound, solution.objective);
    EXPECT_TRUE(WithinBudgets(problem, solution.choices));
  }
}

TEST(Pareto, FindsEveryUndominatedPlanThatBruteForceFinds) {
  int checked = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Problem problem = RandomProblem(seed);
    if (!problem.groups[0].choices[0].costs.contains("cost0")) continue;
    if (seed % 2 == 0) problem.budgets.erase("cost0");
    ExpectTrueFront(problem, "exact");
    ++checked;
  }
  EXPECT_GT(checked, 200);
}

TEST(Pareto, TakesRulesPricesAndJointTerms) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    Problem problem = RandomJointProblem(seed, JointKind::SquaredShift);
    AddRandomRulesAndPrices(seed, problem);
    if (!problem.groups[0].choices[0].costs.contains("cost0") || !BruteForce(problem).keeps_rules) continue;
    ExpectTrueFront(problem, "convex");
  }
}

/// The least that any plan within the budgets on other costs than the first two spends of `cost`.
double LeastSpent(Problem problem, const std::string& cost) {
  problem.budgets.erase("cost0");
  problem.budgets.erase("cost1");
  double least = std::numeric_limits<double>::infinity();
  for (const auto& plan : AllPlans(problem)) least = std::min(least, Spent(problem, cost, plan));
  return least;
}

/// Of all plans within the point's budgets.
double TrueBest(const Problem& problem, const ParetoPoint& point) {
  Problem tighter = problem;
  tighter.budgets = point.budgets;
  return BruteForce(tighter).optimum;
}

TEST(Pareto, OverAGridHasTheBestPlanOfEveryCell) {
  for (std::uint64_t seed = 0; seed < 25; ++seed) {
    const Problem problem = LargeProblem(seed, 5, 4, 3);
    const std::vector<ParetoAxis> axes{{"cost0", 5}, {"cost1", 4}};
    const ParetoFront front = FindParetoFront(problem, {.axes = axes, .search = {}});
    EXPECT_TRUE(front.complete);
    if (!BruteForce(problem).feasible) {
      EXPECT_TRUE(front.points.empty());
      continue;
    }
    ASSERT_FALSE(front.points.empty());
    for (const ParetoPoint& point : front.points) {
      EXPECT_NEAR(point.solution.objective, TrueBest(problem, point), 1e-9);
      const Figures own = FiguresOf(problem, point.solution.choices, axes);
      for (const ParetoPoint& other : front.points)
        EXPECT_FALSE(Dominates(FiguresOf(problem, other.solution.choices, axes), own)) << problem.name;
    }
    // No cell of the grid has a plan that the front is without a match for.
    for (int i = 0; i < 5; ++i)
      for (int j = 0; j < 4; ++j) {
        Problem cell = problem;
        cell.budgets["cost0"] -= i / 4.0 * (problem.budgets.at("cost0") - LeastSpent(problem, "cost0"));
        cell.budgets["cost1"] -= j / 3.0 * (problem.budgets.at("cost1") - LeastSpent(problem, "cost1"));
        const Truth truth = BruteForce(cell);
        if (!truth.feasible) continue;
        EXPECT_TRUE(std::any_of(front.points.begin(), front.points.end(),
                                [&](const ParetoPoint& point) {
                                  return point.solution.objective <= truth.optimum + 1e-9 &&
                                         WithinBudgets(cell, point.solution.choices);
                                }))
            << problem.name << " cell " << i << ", " << j;
      }
  }
}

TEST(Pareto, StartsAGridWithoutBudgetsFromWhatTheBestPlanSpends) {
  Problem problem = LargeProblem(5, 5, 4, 2);
  problem.budgets.clear();
  const ParetoFront front = FindParetoFront(problem, {.axes = {{"cost0", 4}, {"cost1", 3}}, .search = {}});
  ASSERT_FALSE(front.points.empty());
  double best = std::numeric_limits<double>::infinity();
  for (const ParetoPoint& point : front.points) {
    EXPECT_EQ(point.budgets.size(), 2u);
    EXPECT_TRUE(WithinBudgets(Problem{"", "", problem.groups, point.budgets}, point.solution.choices));
    EXPECT_NEAR(point.solution.objective, TrueBest(problem, point), 1e-9);
    best = std::min(best, point.solution.objective);
  }
  EXPECT_NEAR(best, BruteForce(problem).optimum, 1e-9);
}

TEST(Pareto, GivesBoundsThatHoldWhenTheTimeIsShort) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Problem problem = LargeProblem(seed, 6, 5, 3);
    for (const double limit : {1e-9, 1e-4, 1e-3}) {
      ParetoOptions options{.axes = {{"cost0", 6}}, .search = {.time_limit_seconds = limit}};
      for (const ParetoPoint& point : FindParetoFront(problem, options).points)
        EXPECT_LE(point.solution.bound, TrueBest(problem, point) * (1 + 1e-12));
    }
  }
}

TEST(Pareto, IsIncompleteWhenTheTimeWasUp) {
  const Problem problem = LargeProblem(3, 60, 5, 3);
  const ParetoFront front = FindParetoFront(problem, {.axes = {{"cost0"}}, .search = {.time_limit_seconds = 0.05}});
  EXPECT_FALSE(front.complete);
}

TEST(Pareto, PassesThroughThePublishedOptima) {
  const auto [problem, optimum] = ReadInstance("hawq-v3-resnet18-size_bytes-0.5");
  const ParetoFront front = FindParetoFront(problem, {.axes = {{"size_bytes"}}, .search = {}});
  ASSERT_FALSE(front.points.empty());
  EXPECT_NEAR(front.points.back().solution.objective, optimum, 1e-9 * optimum);
  for (std::size_t i = 1; i < front.points.size(); ++i) {
    EXPECT_LT(front.points[i].solution.objective, front.points[i - 1].solution.objective);
    EXPECT_GT(front.points[i].solution.costs.at("size_bytes"), front.points[i - 1].solution.costs.at("size_bytes"));
  }
}

TEST(Pareto, NamesWhatIsWrongWithItsOptions) {
  const Problem problem = LargeProblem(3, 4, 3, 2);
  const auto expect = [&](const std::vector<ParetoAxis>& axes, const char* part) {
    EXPECT_THAT([&] { FindParetoFront(problem, {.axes = axes, .search = {}}); }, ThrowsMessage<Error>(HasSubstr(part)));
  };
  expect({}, "0 costs");
  expect({{"cost0", 2}, {"cost1", 2}, {"cost0", 2}}, "3 costs");
  expect({{"cost0", 2}, {"cost0", 2}}, "'cost0' with itself");
  expect({{"nosuch", 2}}, "'nosuch'");
  expect({{"cost0", 1}}, "1 levels");
  expect({{"cost0", 0}, {"cost1", 2}}, "0 levels of 'cost0'");
}

}  // namespace
}  // namespace bitplan::search_test
