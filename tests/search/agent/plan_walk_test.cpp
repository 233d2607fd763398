#include "plan_walk.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "bitplan/error.h"
#include "search/brute_force.h"
#include "search/random_problem.h"

namespace bitplan::search_test {
namespace {

using agent::PlanSpace;
using agent::PlanWalk;
using agent::StepStates;
using Choices = std::vector<std::size_t>;

/// A walk by random actions; what was carried out goes to `executed`.
Choices WalkAtRandom(const agent::PlanSpace& space, const Choices& plan, std::mt19937_64& random,
                     std::vector<double>& executed) {
  const agent::StepStates states(space);
  agent::PlanWalk walk(space, states, plan);
  executed.clear();
  while (!walk.Done()) {
    for (const float number : walk.State()) {
      EXPECT_GE(number, 0);
      EXPECT_LE(number, 1);
    }
    executed.push_back(walk.Take(static_cast<double>(random() % 1001) / 1000));
  }
  return walk.Choices();
}

Choices Repeat(const agent::PlanSpace& space, const Choices& plan, const std::vector<double>& actions) {
  const agent::StepStates states(space);
  agent::PlanWalk walk(space, states, plan);
  for (const double action : actions) EXPECT_EQ(walk.Take(action), action);
  EXPECT_TRUE(walk.Done());
  return walk.Choices();
}

TEST(PlanWalk, EndsWithinEveryBudgetAndRuleWhereverAPlanExists) {
  int feasible = 0, infeasible = 0;
  std::mt19937_64 random(5);
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    Problem problem = RandomProblem(seed);
    if (seed % 3 == 0) AddRandomRulesAndPrices(seed, problem);
    const Truth truth = BruteForce(problem);
    if (!truth.keeps_rules) {
      EXPECT_THROW(agent::PlanSpace(problem, {}), Error) << problem.name;
      continue;
    }
    const agent::PlanSpace space(problem, {});
    const auto plan = space.Complete(0, std::vector<double>(space.budgets()), true);
    ASSERT_EQ(plan.has_value(), truth.feasible) << problem.name;
    (truth.feasible ? feasible : infeasible) += 1;
    std::vector<double> executed;
    for (int i = 0; plan && i < 5; ++i) {
      const Choices choices = WalkAtRandom(space, *plan, random, executed);
      ASSERT_EQ(choices.size(), problem.groups.size());
      EXPECT_TRUE(WithinBudgets(problem, choices)) << problem.name;
      EXPECT_TRUE(KeepsRules(problem, choices)) << problem.name;
      EXPECT_EQ(Repeat(space, *plan, executed), choices) << problem.name;
    }
  }
  EXPECT_GT(feasible, 300);
  EXPECT_GT(infeasible, 100);
}

TEST(PlanWalk, ReachesEveryPlanWithinTheBudgets) {
  int compared = 0;
  for (std::uint64_t seed = 0; compared < 40; ++seed) {
    Problem problem = RandomProblem(seed);
    if (seed % 2 == 0) AddRandomRulesAndPrices(seed, problem);
    if (!BruteForce(problem).keeps_rules) continue;
    const auto plans = AllPlans(problem);
    if (plans.size() < 5 || plans.size() > 30) continue;
    ++compared;
    const agent::PlanSpace space(problem, {});
    const auto plan = space.Complete(0, std::vector<double>(space.budgets()), true);
    ASSERT_TRUE(plan);
    std::set<Choices> reached;
    std::mt19937_64 random(seed);
    std::vector<double> executed;
    for (int i = 0; i < 6000 && reached.size() < plans.size(); ++i)
      reached.insert(WalkAtRandom(space, *plan, random, executed));
    EXPECT_EQ(reached, std::set(plans.begin(), plans.end())) << problem.name;
  }
}

/// Two layers that share their input's width; widths of weights and inputs are decided one after the other.
TEST(PlanWalk, DecidesEveryWidthOfAGroupInAStepOfItsOwn) {
  Problem problem;
  Group group{"a+b", {"a", "b"}, {}};
  for (const int a : {2, 4, 8})
    for (const int b : {2, 4})
      for (const int input : {4, 8})
        group.choices.push_back({"w" + std::to_string(a) + "-" + std::to_string(b) + "a" + std::to_string(input),
                                 1.0 / a + 1.0 / b,
                                 {{"c", 1.0 * (a + b)}}});
  problem.groups = {group, {"c", {"c"}, {{"w2a8", 1, {{"c", 2}}}, {"w8a8", 0, {{"c", 8}}}}}};
  problem.budgets = {{"c", 16}};
  const agent::PlanSpace space(problem, {});
  ASSERT_EQ(space.groups()[0].coordinates.size(), 3U);
  EXPECT_EQ(space.groups()[0].coordinates[0].values, 3U);
  EXPECT_FALSE(space.groups()[0].coordinates[1].activation);
  EXPECT_TRUE(space.groups()[0].coordinates[2].activation);
  EXPECT_EQ(space.groups()[1].coordinates.size(), 1U);
  const auto plan = space.Complete(0, {0}, true);
  ASSERT_TRUE(plan);
  const Choices taken = Repeat(space, *plan, {0.9, 0.1, 0.8, 0.2});
  EXPECT_EQ(group.choices[taken[0]].name, "w8-2a8");
  const agent::StepStates states(space);
  agent::PlanWalk walk(space, states, *plan);
  walk.Take(0.9);
  walk.Take(0.9);
  EXPECT_EQ(walk.State()[8], 1);  // the input's width
  walk.Take(0.9);
  EXPECT_EQ(walk.Take(0.9), 0.25);  // 8 + 4 are spent: of the two widths of the last group only the lower one is left
}

/// HAQ's ten numbers (Wang et al. 2019, section 3.1), each over the largest.
TEST(PlanWalk, ShowsTheLayersShapesWhereTheProblemHasThem) {
  Problem problem;
  const std::vector<Choice> choices = {
      {"w2a4", 1, {{"c", 2}}}, {"w2a8", 1, {{"c", 2}}}, {"w8a4", 0, {{"c", 8}}}, {"w8a8", 0, {{"c", 8}}}};
  problem.groups = {{"a", {"a"}, choices, LayerShape{3, 16, 5, 2, 32, 1200, false}},
                    {"b", {"b"}, choices, LayerShape{16, 16, 3, 1, 16, 144, true}},
                    {"c", {"c"}, choices, LayerShape{16, 10, 1, 0, 1, 160, false}}};
  problem.budgets = {{"c", 100}};
  const auto states_of = [&] {
    const agent::PlanSpace space(problem, {});
    const agent::StepStates states(space);
    agent::PlanWalk walk(space, states, *space.Complete(0, {0}, true));
    std::vector<agent::AgentState> all;
    while (!walk.Done()) {
      all.push_back(walk.State());
      walk.Take(0.75);
    }
    return all;
  };
  const std::vector<agent::AgentState> states = states_of();
  ASSERT_EQ(states.size(), 6U);
  EXPECT_EQ(states[0], (agent::AgentState{0, 3 / 16.0F, 1, 1, 1, 1, 1, 0, 0, 1}));
  EXPECT_EQ(states[1], (agent::AgentState{0, 3 / 16.0F, 1, 1, 1, 1, 1, 0, 1, 0.75}));
  EXPECT_EQ(states[2], (agent::AgentState{0.5, 1, 1, 0.6F, 0.5, 0.5, 0.12F, 1, 0, 0.75}));
  EXPECT_EQ(states[5],
            (agent::AgentState{1, 1, 0.625, 0.2F, 0, 1 / 32.0F, static_cast<float>(160 / 1200.0), 0, 1, 0.75}));
  problem.groups[1].shape.reset();
  EXPECT_NE(states_of()[0], states[0]);
}

}  // namespace
}  // namespace bitplan::search_test
