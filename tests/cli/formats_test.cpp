// One network in three formats (formats/make_formats.py): every command of README.md runs on each and says the same.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/tool.h"

namespace bitplan::test {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

/// The commands of README.md's sh blocks, without the tool's name.
std::vector<std::string> CommandsOfReadme() {
  std::ifstream readme(fs::path(BITPLAN_TEST_DIR).parent_path() / "README.md");
  std::vector<std::string> commands;
  bool inside = false;
  for (std::string line; std::getline(readme, line);) {
    if (line.starts_with("```")) inside = line == "```sh";
    if (inside && line.starts_with("bitplan ")) commands.push_back(line.substr(8));
  }
  return commands;
}

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

void Place(const Workspace& work, const std::string& file, const std::string& name) {
  fs::remove(work / name);
  fs::copy_file(fs::path(BITPLAN_TEST_DIR) / "cli" / "formats" / file, work / name);
}

/// All numbers of a document, by where they stand, but for digests' and sizes of files.
void Numbers(const json& document, const std::string& where, std::map<std::string, double>& numbers) {
  if (document.is_number()) numbers[where] = document.get<double>();
  if (!document.is_structured()) return;
  for (const auto& [key, value] : document.items()) Numbers(value, where + "/" + key, numbers);
}

void ExpectSameNumbers(const json& a, const json& b, double tolerance) {
  std::map<std::string, double> of_a, of_b;
  Numbers(a, "", of_a);
  Numbers(b, "", of_b);
  ASSERT_EQ(of_a.size(), of_b.size());
  for (const auto& [where, number] : of_a) {
    ASSERT_TRUE(of_b.contains(where)) << where;
    EXPECT_NEAR(of_b[where], number, tolerance * std::max(std::abs(number), 1e-6)) << where;
  }
}

/// Of a small network in one format what README.md's commands say in their JSON.
std::map<std::string, json> RunReadme(const std::string& ending) {
  const Workspace work;
  fs::remove(work / "resnet20.pt");
  Place(work, "small." + ending, "resnet20." + ending);
  std::map<std::string, json> answers;
  for (const std::string& line : CommandsOfReadme()) {
    const std::string command = Replaced(line, "resnet20.pt", "resnet20." + ending);
    const std::string name = command.substr(0, command.find(' '));
    const ToolRun run = work.Run(command + (name == "inspect" || name == "train" ? " --json answer.json" : ""));
    EXPECT_EQ(run.code, 0) << command << "\n" << run.err;
    if (fs::exists(work / "answer.json")) answers.emplace(name, json::parse(work.Read("answer.json")));
    fs::remove(work / "answer.json");
  }
  answers["sensitivity"] = json::parse(work.Read("sensitivity.json"));
  return answers;
}

TEST(Formats, EveryCommandOfTheReadmeSaysTheSameOnAllThree) {
  const std::map<std::string, json> expected = RunReadme("pt");
  for (const std::string ending : {"pt2", "onnx"}) {
    SCOPED_TRACE(ending);
    const std::map<std::string, json> answers = RunReadme(ending);
    json layers = answers.at("inspect")["layers"], wanted = expected.at("inspect")["layers"];
    EXPECT_EQ(layers.dump(1), wanted.dump(1));
    ExpectSameNumbers(expected.at("train")["curve"], answers.at("train")["curve"], 1e-5);
    ExpectSameNumbers(expected.at("sensitivity")["layers"], answers.at("sensitivity")["layers"], 1e-4);
  }
}

TEST(Formats, APlanOfOneAppliesToTheOthers) {
  const Workspace work;
  for (const char* const file : {"small.pt", "small.pt2", "small.onnx", "nameless.onnx"}) Place(work, file, file);
  const auto done = [&](const std::string& command) {
    const ToolRun run = work.Run(command);
    EXPECT_EQ(run.code, 0) << command << "\n" << run.err;
    return run;
  };
  const std::string samples = " --data cifar10:train.bin --samples 16 ";
  done("analyze small.pt --measures relative-error --activation-bits 8 --out s.json" + samples);
  done("search s.json --measure relative-error --budget weight_size=20% --out plan.json");
  done("calibrate small.pt --data cifar10:train.bin --samples 16 --out statistics.json");
  std::map<std::string, json> reports;
  for (const std::string file : {"small.pt", "small.pt2", "small.onnx", "nameless.onnx"}) {
    const ToolRun run =
        done("eval " + file + " --plan plan.json --calibration cifar10:train.bin --json report.json" + samples);
    reports[file] = json::parse(work.Read("report.json"));
    const json &planned = reports[file]["planned"], &expected = reports["small.pt"]["planned"];
    EXPECT_EQ(planned["correct"], expected["correct"]);
    EXPECT_NEAR(planned["loss"].get<double>(), expected["loss"].get<double>(), 1e-5);
    EXPECT_NEAR(planned["divergence"].get<double>(), expected["divergence"].get<double>(), 1e-7);
    EXPECT_EQ(reports[file].contains("matched_by_value"), file == "nameless.onnx") << run.err;
    if (file != "nameless.onnx") continue;
    EXPECT_THAT(run.err, AllOf(HasSubstr("known by the values of their weights"), HasSubstr("(conv1 in the plan)")));
    EXPECT_EQ(reports[file]["matched_by_value"].size(), 10U);
  }
  done("quantize nameless.onnx plan.json --statistics statistics.json --calibration cifar10:train.bin --out q.pt");
  const ToolRun refused = work.Run("eval resnet20.pt --plan plan.json" + samples);
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, HasSubstr("the plan is another model's"));
}

}  // namespace
}  // namespace bitplan::test
