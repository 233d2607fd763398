// The main job, held to the figures that it must reach on the bundled network.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/tool.h"

namespace bitplan::test {
namespace {

using nlohmann::json;

json RunAt(const Workspace& work, const std::string& budget) {
  const ToolRun run =
      work.Run("run resnet20.pt --data cifar10:train.bin --test cifar10:test.bin --budget weight_size=" + budget +
               " --out-dir result --json -");
  EXPECT_EQ(run.code, 0) << run.err;
  return json::parse(run.out);
}

TEST(AnalyzeCommand, GoesOnFromWhereItWasInterruptedToTheSameBytes) {
  const Workspace work;
  const std::string command =
      "analyze resnet20.pt --data cifar10:train.bin --samples 192 --weight-bits 3,4 --shifts --out s.json";
  ASSERT_EQ(work.Run(command).code, 0);
  const std::vector<std::string> files = {"s.json", "s.contributions.npy", "s.shifts.npy", "s.logits.npy"};
  std::vector<std::string> whole;
  for (const std::string& file : files) {
    whole.push_back(work.Read(file));
    std::filesystem::remove(work / file);
  }
  const ToolRun first = RunTool(work.path(), command, BITPLAN_TEST_DIR "/cli/interrupt_when.sh s.json.checkpoint");
  ASSERT_EQ(first.code, 130) << first.err;
  ASSERT_TRUE(std::filesystem::exists(work / "s.json.checkpoint"));
  ASSERT_FALSE(std::filesystem::exists(work / "s.json"));
  const ToolRun other = work.Run(command + " --resume --seed 7");
  EXPECT_EQ(other.code, 2);
  EXPECT_NE(other.err.find("another seed"), std::string::npos) << other.err;
  EXPECT_EQ(other.err.find("goes on from there"), std::string::npos) << other.err;  // it would be refused again
  std::string of_fewer = command + " --resume";
  of_fewer.replace(of_fewer.find("192"), 3, "128");
  const ToolRun fewer = work.Run(of_fewer);
  EXPECT_NE(fewer.err.find("another samples: 192 there, 128 here"), std::string::npos) << fewer.err;
  const ToolRun rest = work.Run(command + " --resume");
  ASSERT_EQ(rest.code, 0) << rest.err;
  for (std::size_t i = 0; i < files.size(); ++i) EXPECT_EQ(work.Read(files[i]), whole[i]) << files[i];
  EXPECT_FALSE(std::filesystem::exists(work / "s.json.checkpoint"));
}

TEST(RunCommand, ReachesTheAccuracyAtFourBitsOnAverage) {
  const Workspace work;
  const json report = RunAt(work, "12.5%");
  EXPECT_EQ(report["float"]["correct"], 932);
  EXPECT_GE(report["planned"]["accuracy"].get<double>(), 0.905);
  EXPECT_EQ(report["uniform_bits"]["weight"], 4);
  EXPECT_LT(report["planned"]["divergence"].get<double>(), report["uniform"]["divergence"].get<double>());
  const json plan = json::parse(work.Read("result/plan.json"));
  EXPECT_LE(plan["costs"]["weight_size_bytes"].get<double>(), 268336 * 4 * 0.125);
  EXPECT_EQ(plan["measured"]["correct"], report["planned"]["correct"]);
  EXPECT_EQ(plan["certificate"]["status"], "optimal");
  EXPECT_EQ(plan["stability"]["resamples"], 100);
  EXPECT_EQ(plan["stability"]["kept"].size(), 20U);
  // The run is the sum of its stages: the plan file alone gives the same figures.
  const ToolRun eval = work.Run("eval resnet20.pt --plan result/plan.json --data cifar10:test.bin --json -");
  ASSERT_EQ(eval.code, 0) << eval.err;
  EXPECT_EQ(json::parse(eval.out)["planned"], report["planned"]);
}

TEST(RunCommand, ReachesTheAccuracyAtThreeBitsOnAverage) {
  const Workspace work;
  const json report = RunAt(work, "9.375%");
  EXPECT_GE(report["planned"]["accuracy"].get<double>(), 0.88);
  EXPECT_EQ(report["uniform_bits"]["weight"], 3);
  EXPECT_GE(report["uniform"]["accuracy"].get<double>(), 0.87);
}

TEST(RunCommand, MeasuresCandidatesAndExchangesOnSamplesThatTheAnalysisDidNotUse) {
  const Workspace work;
  const ToolRun run = work.Run(
      "run resnet20.pt --data cifar10:train.bin --test cifar10:test.bin --budget average_bits=3 --out-dir result "
      "--samples 64 --held-out 96 --candidates 2 --refine 2 --json result.json");
  ASSERT_EQ(run.code, 0) << run.err;
  const json choice = json::parse(work.Read("result/choice.json")), plan = json::parse(work.Read("result/plan.json"));
  EXPECT_EQ(json::parse(work.Read("result.json"))["choice"], choice);
  EXPECT_EQ(choice["samples"], 96);
  ASSERT_GE(choice["trials"].size(), 2U);
  json kept;
  for (const json& trial : choice["trials"])
    if (trial["accepted"]) kept = trial["choices"];
  for (const json& layer : plan["layers"])
    EXPECT_EQ(kept[layer["name"].get<std::string>()], "w" + std::to_string(layer["weight"]["bits"].get<int>()) + "a32");
  EXPECT_LE(plan["costs"]["average_bits"].get<double>(), 3 * (1 + 1e-9));
  EXPECT_LE(plan["certificate"]["bound"], plan["certificate"]["objective"]);
  EXPECT_EQ(plan["data"]["samples"], 64);
  EXPECT_NE(run.out.find("96 samples that the analysis did not use"), std::string::npos) << run.out;
}

TEST(RunCommand, LearnsFromMeasuredLossesToo) {
  const Workspace work;
  const ToolRun run = work.Run(
      "run resnet20.pt --data cifar10:train.bin --test cifar10:test.bin --budget average_bits=3 --out-dir result "
      "--samples 64 --held-out 32 --method agent --reward measured --episodes 6 --warm-up 3 --curve-csv curve.csv");
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_EQ(json::parse(work.Read("result/plan.json"))["certificate"]["method"], "agent");
  const std::string curve = work.Read("curve.csv");
  EXPECT_EQ(std::count(curve.begin(), curve.end(), '\n'), 7);
}

}  // namespace
}  // namespace bitplan::test
