#include "relaxation/relaxation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "core/subproblem.h"
#include "search/random_problem.h"

namespace bitplan::search {
namespace {

using search_test::LargeProblem;

Relaxation Relax(const Core& core, const Subproblem& part, const Basis& start = {}) {
  Monitor monitor({.time_limit_seconds = 60});
  return SolveRelaxation(core, part, start, kInfinity, monitor);
}

/// Loss of the relaxation's own solution, after a check that it is one: a feasible point proves that no bound is
/// higher.
double LossOfShares(const Core& core, const Subproblem& part, const Relaxation& relaxation) {
  std::vector<double> share(core.columns(), 0.0);
  std::vector<double> split(core.groups(), 0.0);
  for (const Share& taken : relaxation.split) {
    share[taken.column] = taken.value;
    split[core.group[taken.column]] += taken.value;
  }
  for (const Index column : part.settled)
    if (column != Subproblem::kFree) share[column] = 1;
  for (std::size_t g = 0; g < part.groups(); ++g) {
    if (split[part.free_group[g]] == 0)
      share[relaxation.leading[g]] = 1;
    else
      EXPECT_NEAR(split[part.free_group[g]], 1, 1e-8);
  }
  double loss = 0;
  for (std::size_t c = 0; c < core.columns(); ++c) loss += share[c] * core.loss[c];
  for (std::size_t i = 0; i < core.budgets(); ++i) {
    double use = 0;
    for (std::size_t c = 0; c < core.columns(); ++c) use += share[c] * core.Cost(i, c);
    EXPECT_LE(use, core.limits[i] * (1 + 1e-7));
  }
  return loss;
}

/// f + λ c of each column.
std::vector<double> PricedLosses(const Core& core, const std::vector<double>& multipliers) {
  std::vector<double> priced = core.loss;
  for (std::size_t i = 0; i < core.budgets(); ++i)
    for (std::size_t c = 0; c < core.columns(); ++c) priced[c] += multipliers[i] * core.Cost(i, c);
  return priced;
}

/// The column of each group with the least figure.
CorePlan LeastOf(const Core& core, const std::vector<double>& figures) {
  CorePlan plan;
  for (std::size_t g = 0; g < core.groups(); ++g)
    plan.push_back(static_cast<Index>(
        std::min_element(figures.begin() + core.first[g], figures.begin() + core.first[g + 1]) - figures.begin()));
  return plan;
}

/// Σ_groups min (f + λ c) − λ limits.
double Dual(const Core& core, const std::vector<double>& multipliers) {
  double bound = 0;
  for (std::size_t i = 0; i < core.budgets(); ++i) bound -= multipliers[i] * core.limits[i];
  const std::vector<double> priced = PricedLosses(core, multipliers);
  for (const Index column : LeastOf(core, priced)) bound += priced[column];
  return bound;
}

/// With one budget: the lower convex hulls of the groups, taken in the order of their slopes (Sinha and Zoltners 1979).
double HullGreedy(const Problem& problem) {
  struct Step {
    double slope, loss, cost;
  };
  std::vector<Step> steps;
  double loss = 0, left = problem.budgets.begin()->second;
  for (const auto& group : problem.groups) {
    std::vector<std::pair<double, double>> points;
    for (const auto& choice : group.choices) points.emplace_back(choice.costs.at("cost0"), choice.objective);
    auto at = *std::min_element(points.begin(), points.end());
    left -= at.first;
    loss += at.second;
    while (true) {
      Step best{0, 0, 0};
      for (const auto& [cost, objective] : points)
        if (cost > at.first && (objective - at.second) / (cost - at.first) < best.slope)
          best = {(objective - at.second) / (cost - at.first), objective - at.second, cost - at.first};
      if (best.slope == 0) break;
      steps.push_back(best);
      at = {at.first + best.cost, at.second + best.loss};
    }
  }
  std::sort(steps.begin(), steps.end(), [](const Step& a, const Step& b) { return a.slope < b.slope; });
  for (const Step& step : steps) {
    const double share = std::min(1.0, left / step.cost);
    loss += share * step.loss;
    left -= share * step.cost;
    if (share < 1) break;
  }
  return loss;
}

TEST(Relaxation, EqualsTheHullGreedyWithOneBudget) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const Problem problem = LargeProblem(seed, 30, 8, 1);
    const Core core = BuildCore(problem, Goal::Loss);
    const double bound = Relax(core, WholeOf(core)).bound * core.loss_scale + core.loss_shift;
    EXPECT_NEAR(bound, HullGreedy(problem), 1e-8 * std::abs(bound)) << problem.name;
  }
}

TEST(Relaxation, MeetsAPointThatProvesTheBoundToBeTheBest) {
  for (int budgets = 1; budgets <= 6; ++budgets)
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      const Core core = BuildCore(LargeProblem(seed, 25, 8, budgets), Goal::Loss);
      const Subproblem whole = WholeOf(core);
      const Relaxation relaxation = Relax(core, whole);
      ASSERT_FALSE(relaxation.infeasible);
      EXPECT_NEAR(relaxation.bound, LossOfShares(core, whole, relaxation), 1e-7 * relaxation.bound);
    }
}

/// Where a plan is the best solution, basic columns have shares of 0 and of 1.
TEST(Relaxation, MeetsItWhereTheBasisIsDegenerate) {
  int met = 0;
  for (int budgets = 1; budgets <= 4; ++budgets)
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
      Core core = BuildCore(LargeProblem(seed, 10, 6, budgets), Goal::Loss);
      std::mt19937 random(static_cast<unsigned>(seed));
      std::vector<double> multipliers(core.budgets());
      for (double& multiplier : multipliers) multiplier = std::exp(std::normal_distribution<double>(0, 1)(random));
      const CorePlan best = LeastOf(core, PricedLosses(core, multipliers));
      for (std::size_t i = 0; i < core.budgets(); ++i) {
        core.limits[i] = 0;
        for (const Index column : best) core.limits[i] += core.Cost(i, column);
      }
      const Subproblem whole = WholeOf(core);
      const Relaxation relaxation = Relax(core, whole);
      ASSERT_FALSE(relaxation.infeasible);
      EXPECT_NEAR(relaxation.bound, LossOfShares(core, whole, relaxation), 1e-7 * core.Value(best)) << seed;
      met += relaxation.leading == best;
    }
  EXPECT_GT(met, 100);
}

TEST(Relaxation, HasNoBetterMultipliers) {
  std::mt19937 random(3);
  std::normal_distribution<double> normal;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const Core core = BuildCore(LargeProblem(seed, 20, 8, 3), Goal::Loss);
    const Relaxation relaxation = Relax(core, WholeOf(core));
    EXPECT_NEAR(Dual(core, relaxation.multipliers), relaxation.bound, 1e-9 * relaxation.bound);
    for (int trial = 0; trial < 300; ++trial) {
      auto multipliers = relaxation.multipliers;
      for (double& multiplier : multipliers)
        multiplier = std::max(0.0, multiplier + std::pow(10.0, -trial % 5) * normal(random));
      EXPECT_LE(Dual(core, multipliers), relaxation.bound * (1 + 1e-9));
    }
  }
}

TEST(Relaxation, GivesTheSameBoundFromAWarmStart) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    const Core core = BuildCore(LargeProblem(seed, 20, 8, 3), Goal::Loss);
    const Subproblem whole = WholeOf(core);
    const Relaxation relaxation = Relax(core, whole);
    ASSERT_FALSE(relaxation.split.empty());
    for (const Share& share : relaxation.split) {  // without that column, by rising distance from the old solution
      std::vector<char> keep(whole.columns(), 1);
      for (std::size_t c = 0; c < keep.size(); ++c) keep[c] = whole.column[c] != share.column;
      const auto part = Restrict(core, whole, keep);
      ASSERT_TRUE(part);
      const Relaxation warm = Relax(core, *part, relaxation.basis), cold = Relax(core, *part);
      ASSERT_EQ(warm.infeasible, cold.infeasible);
      if (!cold.infeasible) {
        EXPECT_NEAR(warm.bound, cold.bound, 1e-9 * cold.bound);
      }
      EXPECT_GE(warm.bound, relaxation.bound * (1 - 1e-9));
    }
  }
}

TEST(Relaxation, ReducedLossesBoundWhatTakingAColumnCosts) {
  const Core core = BuildCore(LargeProblem(7, 10, 6, 2), Goal::Loss);
  const Subproblem whole = WholeOf(core);
  const Relaxation relaxation = Relax(core, whole);
  for (std::size_t taken = 0; taken < whole.columns(); ++taken) {
    std::vector<char> keep(whole.columns(), 1);
    for (std::size_t c = 0; c < keep.size(); ++c)
      keep[c] = c == taken || core.group[whole.column[c]] != core.group[whole.column[taken]];
    const Relaxation forced = Relax(core, *Restrict(core, whole, keep));
    EXPECT_GE(forced.bound, relaxation.bound + relaxation.reduced_loss[taken] - 1e-9);
  }
}

TEST(Relaxation, ProvesThatBudgetsCannotBeMetTogether) {
  Problem problem;
  for (int g = 0; g < 5; ++g)
    problem.groups.push_back(
        {"g" + std::to_string(g), {}, {{"x", 0, {{"c", 1}, {"d", 3}}}, {"y", 0, {{"c", 3}, {"d", 1}}}}});
  problem.budgets = {{"c", 9}, {"d", 9}};
  const Core core = BuildCore(problem, Goal::Loss);
  EXPECT_TRUE(Relax(core, WholeOf(core)).infeasible);
  const Core peak = BuildCore(problem, Goal::PeakUse);
  EXPECT_NEAR(Relax(peak, WholeOf(peak)).bound, 10.0 / 9, 1e-8);
}

TEST(Relaxation, HoldsABoundWhenTimeIsUp) {
  const Core core = BuildCore(LargeProblem(7, 50, 8, 3), Goal::Loss);
  Monitor monitor({.time_limit_seconds = 1e-12});
  const Relaxation stopped = SolveRelaxation(core, WholeOf(core), {}, kInfinity, monitor);
  EXPECT_LE(stopped.bound, Relax(core, WholeOf(core)).bound);
  EXPECT_TRUE(std::isfinite(stopped.bound));
}

}  // namespace
}  // namespace bitplan::search
