#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "bitplan/plan.h"
#include "plan/example_files.h"

namespace bitplan::plan {
namespace {

using nlohmann::ordered_json;

Problem TwoGroupProblem() {
  Problem problem;
  for (const char* name : {"zeta", "alpha"})
    problem.groups.push_back({name, {name}, {{"w4a8", 1, {{"bops", 10}}}, {"w8a8", 0.5, {{"bops", 20}}}}});
  problem.budgets = {{"bops", 30}};
  return problem;
}

TEST(SolutionFile, HasItsKeysAndTheChoicesByGroup) {
  Solution solution;
  solution.status = SolutionStatus::Optimal;
  solution.choices = {1, 0};
  solution.objective = 1.5;
  solution.bound = 1.5;
  solution.costs = {{"bops", 30}};
  solution.shadow_prices = {{"bops", 0.05}};
  solution.seconds = 0.25;
  solution.nodes = 7;
  const auto json = ordered_json::parse(ToJson(TwoGroupProblem(), solution));
  std::vector<std::string> keys;
  for (const auto& [key, value] : json.items()) keys.push_back(key);
  EXPECT_THAT(keys, ::testing::ElementsAre("schema", "tool_version", "status", "method", "objective", "bound", "gap",
                                           "costs", "budgets", "shadow_prices", "seconds", "nodes", "choices"));
  EXPECT_EQ(json["schema"], "bitplan.solution/1");
  EXPECT_EQ(json["status"], "optimal");
  EXPECT_EQ(json["method"], "exact");
  EXPECT_EQ(json["objective"], 1.5);
  EXPECT_EQ(json["bound"], 1.5);
  EXPECT_EQ(json["gap"], 0.0);
  EXPECT_EQ(json["costs"]["bops"], 30.0);
  EXPECT_EQ(json["budgets"]["bops"], 30.0);
  EXPECT_EQ(json["shadow_prices"]["bops"], 0.05);
  EXPECT_EQ(json["nodes"], 7);
  EXPECT_EQ(json["choices"], ordered_json::parse(R"({"zeta": "w8a8", "alpha": "w4a8"})"));
}

TEST(SolutionFile, SaysWhatTheAnswerHangsOn) {
  Robustness robustness;
  robustness.runner_up.emplace();
  robustness.runner_up->choices = {1, 1};
  robustness.runner_up->objective = 1.625;
  robustness.runner_up->bound = 1.5;
  robustness.noise = {4, {0.25, 0}};
  Solution solution;
  solution.choices = {1, 0};
  auto json = ordered_json::parse(ToJson(TwoGroupProblem(), solution, robustness));
  EXPECT_EQ(json["choices"], ordered_json::parse(R"({"zeta": "w8a8", "alpha": "w4a8"})"));
  EXPECT_EQ(json["robustness"], ordered_json::parse(R"({"runner_up": {"objective": 1.625, "bound": 1.5,
      "choices": {"zeta": "w8a8", "alpha": "w8a8"}}, "draws": 4, "changes": {"zeta": 0.25, "alpha": 0.0}})"));
  robustness.runner_up.reset();
  json = ordered_json::parse(ToJson(TwoGroupProblem(), solution, robustness));
  EXPECT_TRUE(json["robustness"]["runner_up"].is_null());
}

TEST(FrontFile, HasEveryPointWithItsBudgetsAndItsBound) {
  ParetoFront front;
  front.complete = true;
  front.points.push_back({{{"bops", 30}}, {}});
  Solution& solution = front.points[0].solution;
  solution.status = SolutionStatus::Optimal;
  solution.choices = {1, 0};
  solution.objective = solution.bound = 1.5;
  solution.costs = {{"bops", 30}};
  EXPECT_EQ(ordered_json::parse(ToJson(TwoGroupProblem(), front))["points"], ordered_json::parse(R"([
    {"status": "optimal", "objective": 1.5, "bound": 1.5, "gap": 0.0, "costs": {"bops": 30.0}, "budgets": {"bops": 30.0},
     "choices": {"zeta": "w8a8", "alpha": "w4a8"}}])"));
  EXPECT_EQ(ordered_json::parse(ToJson(TwoGroupProblem(), front))["schema"], "bitplan.front/1");
  EXPECT_EQ(ordered_json::parse(ToJson(TwoGroupProblem(), front))["complete"], true);
}

TEST(SolutionFile, OfAnInfeasibleProblemSaysWhy) {
  Solution solution;
  solution.status = SolutionStatus::Infeasible;
  solution.infeasibility = {"bops", 5, 20, false, {0, 0}};
  const auto json = ordered_json::parse(ToJson(TwoGroupProblem(), solution));
  EXPECT_EQ(json["status"], "infeasible");
  EXPECT_TRUE(json["choices"].empty());
  for (const char* key : {"objective", "bound", "gap"}) EXPECT_TRUE(json[key].is_null()) << key;
  EXPECT_EQ(json["infeasibility"],
            ordered_json::parse(R"({"budget": "bops", "limit": 5.0, "least": 20.0, "jointly": false,
                                    "cheapest": {"zeta": "w4a8", "alpha": "w4a8"}})"));
}

TEST(SolutionFile, WithoutAPlanYetKeepsItsBound) {
  Solution solution;
  solution.status = SolutionStatus::Unknown;
  solution.bound = 0.75;
  solution.gap = std::numeric_limits<double>::infinity();
  const auto json = ordered_json::parse(ToJson(TwoGroupProblem(), solution));
  EXPECT_EQ(json["bound"], 0.75);
  EXPECT_TRUE(json["objective"].is_null());
  EXPECT_TRUE(json["gap"].is_null());
  EXPECT_FALSE(json.contains("infeasibility"));
}

}  // namespace
}  // namespace bitplan::plan
