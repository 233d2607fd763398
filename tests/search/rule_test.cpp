// Rules and prices: what the groups they link may take together, and costs that are charged.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "bitplan/error.h"
#include "bitplan/search.h"
#include "search/brute_force.h"
#include "search/random_joint_problem.h"
#include "search/random_problem.h"

namespace bitplan::search_test {
namespace {

double RuleSlack(double value) { return 1e-11 * std::max(1.0, std::abs(value)); }

void ExpectSolvedAsByBruteForce(const Problem& problem, const std::string& method, int& feasible, int& contradictory) {
  const Truth truth = BruteForce(problem);
  if (!truth.keeps_rules) {
    ++contradictory;
    EXPECT_THROW(Search(problem, {.method = method}), Error) << problem.name;
    return;
  }
  const Solution solution = Search(problem, {.method = method});
  ASSERT_EQ(solution.status == SolutionStatus::Infeasible, !truth.feasible) << problem.name;
  if (!truth.feasible) {
    ASSERT_EQ(solution.infeasibility.cheapest.size(), problem.groups.size());
    EXPECT_TRUE(KeepsRules(problem, solution.infeasibility.cheapest)) << problem.name;
    if (!solution.infeasibility.jointly) {
      EXPECT_NEAR(solution.infeasibility.least, truth.least.at(solution.infeasibility.budget), 1e-9) << problem.name;
    }
    return;
  }
  ++feasible;
  EXPECT_TRUE(KeepsRules(problem, solution.choices)) << problem.name;
  EXPECT_TRUE(WithinBudgets(problem, solution.choices)) << problem.name;
  EXPECT_NEAR(solution.objective, Objective(problem, solution.choices), RuleSlack(solution.objective)) << problem.name;
  EXPECT_LE(solution.bound, truth.optimum + RuleSlack(truth.optimum)) << problem.name;
  EXPECT_LE(solution.bound, solution.objective) << problem.name;
  for (const auto& [cost, spent] : solution.costs) EXPECT_EQ(spent, Spent(problem, cost, solution.choices));
  if (method == "greedy") return;
  EXPECT_EQ(solution.status, SolutionStatus::Optimal) << problem.name;
  EXPECT_NEAR(solution.objective, truth.optimum, RuleSlack(truth.optimum)) << problem.name;
}

class RuleSearch : public testing::TestWithParam<std::string> {};

TEST_P(RuleSearch, AgreesWithBruteForce) {
  int feasible = 0, contradictory = 0;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    Problem problem = RandomProblem(seed);
    AddRandomRulesAndPrices(seed, problem);
    ExpectSolvedAsByBruteForce(problem, GetParam(), feasible, contradictory);
  }
  EXPECT_GT(feasible, 300);
  EXPECT_GT(contradictory, 10);
}

INSTANTIATE_TEST_SUITE_P(Methods, RuleSearch, testing::Values("greedy", "exact", "convex"),
                         [](const auto& method) { return method.param; });

TEST(RuleSearch, AgreesWithBruteForceWithAJointTerm) {
  int feasible = 0, contradictory = 0;
  for (const JointKind kind : {JointKind::Matrix, JointKind::SquaredShift, JointKind::Divergence})
    for (std::uint64_t seed = 0; seed < 150; ++seed) {
      Problem problem = RandomJointProblem(seed, kind);
      AddRandomRulesAndPrices(seed, problem);
      ExpectSolvedAsByBruteForce(problem, "convex", feasible, contradictory);
    }
  EXPECT_GT(feasible, 100);
  EXPECT_GT(contradictory, 3);
}

/// A layer's weight and its input as groups of their own; objective and cost by bits.
Problem WeightAndInput() {
  Problem problem;
  for (const char* name : {"weight", "input"}) {
    Group& group = problem.groups.emplace_back();
    group.name = name;
    for (const int bits : {2, 4, 8})
      group.choices.push_back({std::to_string(bits), 100.0 / bits, {{"bits", static_cast<double>(bits)}}});
  }
  problem.budgets = {{"bits", 12}};
  return problem;
}

TEST(Rule, PinsAGroup) {
  Problem problem = WeightAndInput();
  problem.rules = {{{"weight"}, {{"2"}}}};
  EXPECT_EQ(Search(problem, {}).choices, (std::vector<std::size_t>{0, 2}));
}

TEST(Rule, GivesWeightAndInputEqualBits) {
  Problem problem = WeightAndInput();
  problem.rules = {{{"input", "weight"}, {{"2", "2"}, {"4", "4"}, {"8", "8"}}}};
  EXPECT_EQ(Search(problem, {}).choices, (std::vector<std::size_t>{1, 1}));
}

TEST(Rule, KeepsAnInputFromGoingBelowItsWeight) {
  Problem problem = WeightAndInput();
  problem.groups[0].choices[0].objective =
      1000;  // else the weight would go down to 4 bits, the input to 8, or the other way round
  problem.groups[1].choices[1].objective = 1;  // the input is content with 4
  EXPECT_EQ(Search(problem, {}).choices, (std::vector<std::size_t>{2, 1}));
  problem.rules = {{{"weight", "input"}, {{"2", "2"}, {"2", "4"}, {"2", "8"}, {"4", "4"}, {"4", "8"}, {"8", "8"}}}};
  EXPECT_EQ(Search(problem, {}).choices, (std::vector<std::size_t>{1, 1}));
}

TEST(Rule, TiesManyGroups) {
  Problem problem = LargeProblem(4, 40, 5, 0);
  Rule rule;
  for (const auto& group : problem.groups) rule.groups.push_back(group.name);
  for (const auto& choice : problem.groups[0].choices) rule.allowed.emplace_back(problem.groups.size(), choice.name);
  problem.rules = {rule};
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t c = 0; c < 5; ++c) least = std::min(least, Objective(problem, std::vector<std::size_t>(40, c)));
  EXPECT_NEAR(Search(problem, {}).objective, least, 1e-9 * least);
}

TEST(Rule, IsRefusedWhenItLinksMoreThanCanBeCounted) {
  Problem problem = LargeProblem(4, 12, 5, 1);
  for (std::size_t g = 1; g < problem.groups.size(); ++g) {
    Rule rule{{problem.groups[g - 1].name, problem.groups[g].name}, {}};
    for (const auto& a : problem.groups[g - 1].choices)
      for (const auto& b : problem.groups[g].choices)
        if (a.name != "c0" || b.name != "c0") rule.allowed.push_back({a.name, b.name});
    problem.rules.push_back(rule);
  }
  EXPECT_THAT([&] { Search(problem, {}); }, testing::ThrowsMessage<Error>(testing::HasSubstr("65536")));
}

TEST(Price, MovesThePlanAsABudgetWould) {
  Problem problem = WeightAndInput();
  problem.budgets.clear();
  EXPECT_EQ(Search(problem, {}).choices, (std::vector<std::size_t>{2, 2}));
  problem.prices = {{"bits", 5}};  // from 4 to 8 bits saves 12.5 and costs 20, from 2 to 4 saves 25 and costs 10
  const Solution solution = Search(problem, {});
  EXPECT_EQ(solution.choices, (std::vector<std::size_t>{1, 1}));
  EXPECT_NEAR(solution.objective, 25 + 25 + 5 * 8, 1e-12);
  EXPECT_EQ(solution.bound, solution.objective);
}

TEST(Rule, NamesWhatIsWrongWithIt) {
  const auto expect = [](const Rule& rule, const std::string& part) {
    Problem problem = WeightAndInput();
    problem.rules = {{{"weight"}, {{"2"}}}, rule};
    EXPECT_THAT([&] { problem.Validate(); }, testing::ThrowsMessage<Error>(testing::AllOf(
                                                 testing::HasSubstr("rules[1]"), testing::HasSubstr(part))));
  };
  expect({{}, {}}, "no groups");
  expect({{"weight"}, {}}, "allows nothing");
  expect({{"weight", "output"}, {{"2", "2"}}}, "'output'");
  expect({{"weight", "weight"}, {{"2", "2"}}}, "twice");
  expect({{"weight", "input"}, {{"2"}}}, "one for each of 2");
  expect({{"weight", "input"}, {{"2", "3"}}}, "'3' of group 'input'");
}

}  // namespace
}  // namespace bitplan::search_test
