// Searches of problem files, as a user runs them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "cli/tool.h"

namespace bitplan::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;

const std::string kHawq = "--problem '" BITPLAN_TEST_DIR "/search/instances/hawq-v3-resnet18-bops-0.5.json' ";

TEST(SearchCommand, PinsGroupsOfAProblemFileAndChargesPrices) {
  const Workspace work;
  const json free = json::parse(work.Run("search " + kHawq + "--json -").out);
  const std::string group = free["choices"].begin().key(), taken = free["choices"].begin().value();
  const std::string other = taken == "w8a8" ? "w4a4" : "w8a8";
  const ToolRun pinned = work.Run("search " + kHawq + "--json - --keep '" + group + "=" + other + "'");
  ASSERT_EQ(pinned.code, 0) << pinned.err;
  EXPECT_EQ(json::parse(pinned.out)["choices"][group], other);
  EXPECT_GT(json::parse(pinned.out)["objective"], free["objective"]);
  const ToolRun priced = work.Run("search " + kHawq + "--json - --price size_bytes=1");
  ASSERT_EQ(priced.code, 0) << priced.err;
  EXPECT_LT(json::parse(priced.out)["costs"]["size_bytes"], free["costs"]["size_bytes"]);
}

TEST(SearchCommand, RefusesPinsAndPricesThatMakeNoSense) {
  const Workspace work;
  const auto expect = [&](const std::string& options, const std::string& part) {
    const ToolRun run = work.Run("search " + kHawq + options);
    EXPECT_EQ(run.code, 2) << options;
    EXPECT_THAT(run.err, HasSubstr(part)) << options;
  };
  expect("--keep nosuch=w4a4", "no group of that name");
  expect("--keep '*=w5a5'", "no choice 'w5a5'");
  expect("--keep nothing", "GROUP=CHOICE");
  expect("--keep '*=w4a4' --keep '*=w8a8'", "contradict");
  expect("--price nosuch=1", "'nosuch'");
  expect("--price size_bytes", "COST=NUMBER");
  expect("--price size_bytes=-1", "at least 0");
  expect("--widths equal", "--widths");
  expect("--no-shrink", "--no-shrink");
  expect("--resamples 10", "--resamples");
  expect("--joint", "no joint term");
  for (const char* unit : {"10%", "300MiB", "2GB"}) {
    expect(std::string("--budget size_bytes=") + unit, "--budget size_bytes=");
    expect(std::string("--budget size_bytes=") + unit, "plain number");
  }
}

/// The JSON examples of a page of docs/.
std::vector<std::string> ExamplesOf(const std::string& page) {
  std::ifstream file(BITPLAN_TEST_DIR "/../docs/" + page);
  std::vector<std::string> examples;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    const bool begins = line == "```json";
    if (begins) examples.emplace_back();
    inside = begins || (inside && line != "```");
    if (inside && !begins) examples.back() += line + "\n";
  }
  return examples;
}

TEST(SearchCommand, TakesTheExamplesOfTheManual) {
  const Workspace work;
  const std::vector<std::string> examples = ExamplesOf("problems.md");
  ASSERT_EQ(examples.size(), 2U);
  work.Write("plain.json", examples[0]);
  work.Write("joint.json", examples[1]);
  const ToolRun plain = work.Run("search --problem plain.json --json -"),
                joint = work.Run("search --problem joint.json --joint --json -");
  ASSERT_EQ(plain.code, 0) << plain.err;
  ASSERT_EQ(joint.code, 0) << joint.err;
  EXPECT_EQ(json::parse(plain.out)["choices"], json({{"stem", "w8"}, {"body", "w4"}, {"head", "w8"}}));
  EXPECT_NEAR(json::parse(joint.out)["objective"].get<double>(), 0.21, 1e-9);  // one of w4, half of Q's 0.2
}

TEST(SearchCommand, SaysHowFarABudgetIsFromThePlansThereAre) {
  const Workspace work;
  const ToolRun near = work.Run("search " + kHawq + "--budget size_bytes=5000000");
  EXPECT_EQ(near.code, 3) << near.err;
  EXPECT_THAT(near.err, HasSubstr("needs 5,578,752 (11.6% more)"));
  const ToolRun far = work.Run("search " + kHawq + "--budget size_bytes=1");
  EXPECT_THAT(far.err, testing::AllOf(HasSubstr("(5,578,752 times as much)"), testing::Not(HasSubstr("%"))));
}

TEST(SearchCommand, ExplainsWhatTheAnswerHangsOn) {
  const Workspace work;
  const ToolRun run = work.Run("search " + kHawq + "--explain --draws 3 --write-lp problem.lp");
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("one more percent is worth"));
  EXPECT_THAT(run.out, HasSubstr("best other plan"));
  EXPECT_THAT(run.out, HasSubstr("3 draws"));
  EXPECT_THAT(work.Read("problem.lp"), HasSubstr("subject to"));
}

TEST(ParetoCommand, WritesTheFrontAsTableChartAndJson) {
  const Workspace work;
  const ToolRun run =
      work.Run("pareto " + kHawq + "--along size_bytes --csv front.csv --svg front.svg --json front.json");
  ASSERT_EQ(run.code, 0) << run.err;
  const json front = json::parse(work.Read("front.json"));
  EXPECT_EQ(front["schema"], "bitplan.front/1");
  EXPECT_EQ(front["complete"], true);
  EXPECT_NEAR(front["points"].back()["objective"].get<double>(), 0.215689323024, 1e-12);
  const std::string csv = work.Read("front.csv");
  EXPECT_THAT(csv, StartsWith("objective,bound,gap,status,"));
  EXPECT_EQ(static_cast<std::size_t>(std::count(csv.begin(), csv.end(), '\n')), front["points"].size() + 1);
  EXPECT_THAT(work.Read("front.svg"), StartsWith("<svg"));
  EXPECT_THAT(run.out, HasSubstr("all proven"));
}

TEST(ParetoCommand, CrossesTwoBudgets) {
  const Workspace work;
  const ToolRun run = work.Run("pareto " + kHawq + "--along size_bytes=4 --along latency_ms=3 --svg grid.svg");
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_THAT(work.Read("grid.svg"), HasSubstr("latency_ms"));
  EXPECT_EQ(work.Run("pareto " + kHawq).code, 2);
  EXPECT_EQ(work.Run("pareto " + kHawq + "--along nosuch").code, 2);
  EXPECT_EQ(work.Run("pareto " + kHawq + "--along size_bytes=1").code, 2);
}

/// Objectives all but proportional to the costs: no search ends in time.
std::string HardProblem() {
  std::mt19937_64 random(3);
  const auto draw = [&](double most) { return most * static_cast<double>(random() >> 11) / 9007199254740992.0; };
  json problem{{"schema", "bitplan.problem/1"}, {"name", "hard"}, {"objective", "made up"}, {"groups", json::array()}};
  std::map<std::string, double> budgets;
  for (int g = 0; g < 60; ++g) {
    json choices = json::array();
    for (int c = 0; c < 6; ++c) {
      json costs;
      double sum = 0;
      for (const char* cost : {"a", "b", "c", "d"}) {
        costs[cost] = c + draw(2);
        sum += costs[cost].get<double>();
        budgets[cost] += 3.0 / 6;
      }
      choices.push_back({{"name", std::to_string(c)}, {"objective", 100 - sum + draw(0.3)}, {"costs", costs}});
    }
    problem["groups"].push_back({{"name", std::to_string(g)}, {"members", json::array()}, {"choices", choices}});
  }
  problem["budgets"] = budgets;
  return problem.dump();
}

TEST(Interrupt, OfASearchGivesTheBestPlanSoFarWithItsGap) {
  const Workspace work;
  work.Write("hard.json", HardProblem());
  const ToolRun run = RunTool(work.path(), "search --problem hard.json --json -", "timeout --preserve-status -s INT 4");
  EXPECT_EQ(run.code, 130) << run.err;
  const json solution = json::parse(run.out);
  EXPECT_EQ(solution["status"], "feasible");
  EXPECT_LT(solution["bound"], solution["objective"]);
  EXPECT_GT(solution["gap"], 0);
}

TEST(SearchCommand, SaysWhenTimeWasTooShortToTell) {
  const Workspace work;
  json problem{{"schema", "bitplan.problem/1"}, {"name", "odd"}, {"objective", "o"}, {"groups", json::array()}};
  for (int g = 0; g < 15; ++g)
    problem["groups"].push_back(
        {{"name", std::to_string(g)},
         {"members", json::array()},
         {"choices",
          json::parse(
              R"([{"name": "x", "objective": 2, "costs": {"c": 0, "d": 3}}, {"name": "y", "objective": 1, "costs": {"c": 2, "d": 0}}])")}});
  problem["budgets"] = {{"c", 15}, {"d", 22.5}};
  work.Write("odd.json", problem.dump());
  const ToolRun run = work.Run("search --problem odd.json --time-limit 1e-9");
  EXPECT_EQ(run.code, 3);
  EXPECT_THAT(run.err, HasSubstr("no plan found yet"));
}

}  // namespace
}  // namespace bitplan::test
