#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "bitplan/files.h"
#include "bitplan/plan.h"
#include "cost/error_message.h"
#include "files/temporary_folder.h"
#include "plan/example_files.h"

namespace bitplan::plan {
namespace {

TEST(ProblemFile, ReadsThePublishedInstances) {
  int read = 0;
  for (const auto& entry : std::filesystem::directory_iterator(BITPLAN_TEST_DIR "/search/instances")) {
    if (entry.path().extension() != ".json") continue;
    const Problem problem = ReadProblem(entry.path());
    std::ifstream file(entry.path());
    const auto json = nlohmann::json::parse(file);
    ASSERT_EQ(problem.groups.size(), json.at("groups").size());
    for (std::size_t g = 0; g < problem.groups.size(); ++g) {
      const auto& group = json.at("groups")[g];
      EXPECT_EQ(problem.groups[g].name, group.at("name"));
      EXPECT_EQ(problem.groups[g].members, group.at("members").get<std::vector<std::string>>());
      for (std::size_t c = 0; c < problem.groups[g].choices.size(); ++c) {
        EXPECT_EQ(problem.groups[g].choices[c].name, group.at("choices")[c].at("name"));
        EXPECT_EQ(problem.groups[g].choices[c].objective, group.at("choices")[c].at("objective").get<double>());
        EXPECT_EQ(problem.groups[g].choices[c].costs,
                  (group.at("choices")[c].at("costs").get<std::map<std::string, double>>()));
      }
    }
    EXPECT_EQ(problem.budgets, (json.at("budgets").get<std::map<std::string, double>>()));
    ++read;
  }
  EXPECT_GE(read, 9);
}

TEST(ProblemFile, ReadsBackWhatWasWritten) {
  const TemporaryFolder folder;
  ProblemOptions options;
  options.measure = Measure::Eigenvalue;
  options.budgets = {ParseBudget("weight_size=12.5%"), ParseBudget("bops=10%")};
  Problem written = MakeProblem(ExampleSensitivity(), options);
  written.name = "n\"a\\m\ne";
  written.groups[1].choices[2].standard_error = 0.25;
  const LayerShape shape{3, 16, 5, 2, 32, 1200, false};
  written.groups[0].shape = shape;
  written.groups[2].shape = LayerShape{.input_channels = 8, .depthwise = true};
  written.prices = {{"bops", 1e-9}};
  written.rules = {{{written.groups[0].name, written.groups[1].name}, {{"w2a8", "w4a8"}, {"w8a8", "w8a32"}}}};
  WriteFile(folder / "p.json", ToJson(written));
  const Problem read = ReadProblem(folder / "p.json");
  EXPECT_EQ(read.name, written.name);
  EXPECT_EQ(read.objective, written.objective);
  EXPECT_EQ(read.groups.size(), 4U);
  EXPECT_EQ(read.groups[1].choices[2].standard_error, 0.25);
  EXPECT_EQ(read.groups[0].shape, shape);
  EXPECT_EQ(read.groups[1].shape, std::nullopt);
  EXPECT_EQ(read.groups[2].shape, written.groups[2].shape);
  EXPECT_EQ(read.prices, written.prices);
  ASSERT_EQ(read.rules.size(), 1U);
  EXPECT_EQ(read.rules[0].groups, written.rules[0].groups);
  EXPECT_EQ(read.rules[0].allowed, written.rules[0].allowed);
  EXPECT_EQ(ToJson(read), ToJson(written));
}

constexpr const char* kSmall =
    R"({"schema": "bitplan.problem/1", "name": "n", "objective": "o", "groups": [{"name": "g", "members": ["a"],
        "choices": [{"name": "w4a8", "objective": -1, "costs": {"c": 2}}]}], "budgets": {"c": 3}, "reference": 7})";

TEST(ProblemFile, IgnoresTheReference) {
  const TemporaryFolder folder;
  EXPECT_EQ(ReadProblem(folder.Put("p.json", kSmall)).groups[0].choices[0].objective, -1);
}

TEST(ProblemFile, RefusesWhatBreaksAProblemsRulesWithTheFilesName) {
  const TemporaryFolder folder;
  const auto expect = [&](const auto& change, const std::string& part) {
    auto json = nlohmann::ordered_json::parse(kSmall);
    change(json);
    const auto file = folder.Put("changed.json", json.dump());
    EXPECT_THAT([&] { ReadProblem(file); }, OneLineError("changed.json", part)) << part;
  };
  expect([](auto& j) { j["groups"][0]["choices"][0]["costs"]["c"] = -2; }, "'c'");
  expect([](auto& j) { j["groups"][0]["choices"] = nlohmann::json::array(); }, "'g'");
  expect([](auto& j) { j["budgets"]["d"] = 1; }, "'d'");
  expect([](auto& j) { j["budgets"]["c"] = -1; }, "'c'");
  expect([](auto& j) { j["groups"].push_back(j["groups"][0]); }, "'g'");
  expect([](auto& j) { j["groups"][0]["choices"][0]["objective"] = nullptr; }, "groups[0].choices[0].objective");
  expect([](auto& j) { j["groups"][0]["choices"][0]["costs"]["c"] = "2"; }, "groups[0].choices[0].costs.c");
  expect([](auto& j) { j["groups"][0]["members"][0] = 4; }, "groups[0].members");
  expect([](auto& j) { j["prices"]["d"] = 1; }, "price 'd'");
  expect([](auto& j) { j["prices"]["c"] = -1; }, "price 'c'");
  expect([](auto& j) { j["rules"] = {{{"groups", {"h"}}, {"allowed", {{"w4a8"}}}}}; }, "'h'");
  expect([](auto& j) { j["rules"] = {{{"groups", {"g"}}, {"allowed", {{"w4a8", 1}}}}}; }, "rules[0].allowed");
  expect([](auto& j) { j["groups"][0]["choices"][0]["standard_error"] = -1; }, "standard_error");
  expect([](auto& j) { j["groups"] = nlohmann::json::array(); }, "no groups");
}

}  // namespace
}  // namespace bitplan::plan
