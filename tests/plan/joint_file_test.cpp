#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "bitplan/files.h"
#include "bitplan/plan.h"
#include "cost/error_message.h"
#include "files/temporary_folder.h"

namespace bitplan::plan {
namespace {

Problem TwoGroups() {
  Problem problem;
  problem.name = "two";
  problem.objective = "loss";
  for (const char* name : {"first", "second"})
    problem.groups.push_back({name, {name}, {{"w4", 0.5, {{"size", 4}}}, {"w8", 0, {{"size", 8}}}}});
  problem.budgets = {{"size", 12}};
  return problem;
}

std::vector<Problem> OfEveryKind() {
  std::vector<Problem> problems(3, TwoGroups());
  problems[0].joint = QuadraticTerm{{2, 1, 0, 0, 1, 2, 0, 0, 0, 0, 1, 0.1, 0, 0, 0.1, 1}};
  LogitTerm term{.temperature = 1.5, .scale = 2, .samples = 2, .classes = 3, .logits = {1, 2, 3, 4, 5, 0.1F}};
  for (int i = 0; i < 24; ++i) term.shifts.push_back(0.1F * static_cast<float>(i));
  problems[1].joint = term;
  term.loss = LogitLoss::SquaredShift;
  term.temperature = 1;
  term.logits.clear();
  problems[2].joint = term;
  return problems;
}

TEST(JointFile, ReadsBackWhatWasWrittenInListsAndInFiles) {
  const TemporaryFolder folder;
  for (const Problem& problem : OfEveryKind()) {
    WriteFile(folder / "lists.json", ToJson(problem));
    EXPECT_EQ(ToJson(ReadProblem(folder / "lists.json")), ToJson(problem));
    WriteProblem(folder / "files.json", problem);
    EXPECT_EQ(ToJson(ReadProblem(folder / "files.json")), ToJson(problem));
  }
  EXPECT_TRUE(std::filesystem::exists(folder / "files.matrix.npy"));
  EXPECT_TRUE(std::filesystem::exists(folder / "files.logits.npy"));
  EXPECT_TRUE(std::filesystem::exists(folder / "files.shifts.npy"));
}

TEST(JointFile, WritesAProblemWithoutAJointTermAsBefore) {
  const TemporaryFolder folder;
  WriteProblem(folder / "p.json", TwoGroups());
  EXPECT_EQ(Contents(folder / "p.json"), ToJson(TwoGroups()));
}

TEST(JointFile, RefusesWhatBreaksItsRules) {
  const TemporaryFolder folder;
  const auto expect = [&](std::size_t kind, const auto& change, const std::string& part) {
    auto json = nlohmann::ordered_json::parse(ToJson(OfEveryKind()[kind]));
    change(json["joint"]);
    const auto file = folder.Put("changed.json", json.dump());
    EXPECT_THAT([&] { ReadProblem(file); }, OneLineError(part)) << part;
  };
  expect(0, [](auto& joint) { joint["kind"] = "cubic"; }, "joint.kind");
  expect(0, [](auto& joint) { joint.erase("matrix"); }, "joint.matrix");
  expect(0, [](auto& joint) { joint["surprise"] = 1; }, "surprise");
  expect(0, [](auto& joint) { joint["matrix"][2].erase(0); }, "joint.matrix");
  expect(0, [](auto& joint) { joint["matrix"][0][0] = nullptr; }, "joint.matrix");
  expect(0, [](auto& joint) { joint["matrix"] = 4; }, "joint.matrix");
  expect(0, [](auto& joint) { joint["matrix"][0][0] = -5; }, "not positive semidefinite");
  expect(0, [](auto& joint) { joint["matrix"] = "../m.npy"; }, "in the same folder");
  expect(0, [](auto& joint) { joint["matrix"] = "missing.npy"; }, "missing.npy");
  expect(1, [](auto& joint) { joint["logits"] = {{1, 2}, {3, 4}}; }, "joint.logits");
  expect(1, [](auto& joint) { joint["temperature"] = -1; }, "temperature");
  expect(2, [](auto& joint) { joint["temperature"] = 1; }, "temperature");
  expect(2, [](auto& joint) { joint["shifts"].erase(0); }, "shifts");
}

TEST(JointFile, RefusesArrayFilesOfOtherTypesAndShapes) {
  const TemporaryFolder folder;
  WriteProblem(folder / "p.json", OfEveryKind()[0]);
  const std::string good = Contents(folder / "p.matrix.npy");
  const auto expect = [&](const std::string& from, const std::string& to, const std::string& part) {
    std::string bytes = good;
    bytes.replace(bytes.find(from), from.size(), to);
    folder.Put("p.matrix.npy", bytes);
    EXPECT_THAT([&] { ReadProblem(folder / "p.json"); }, OneLineError("p.matrix.npy", part));
  };
  expect("<f8", "<i8", "float32 or float64");
  expect("(4, 4,)", "(16,)  ", "2 axes");
  folder.Put("p.matrix.npy", good.substr(0, good.size() - 8));
  EXPECT_THAT([&] { ReadProblem(folder / "p.json"); }, OneLineError("p.matrix.npy", "cut off"));
}

}  // namespace
}  // namespace bitplan::plan
