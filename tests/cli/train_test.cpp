// Training, as a user runs it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/tool.h"

namespace bitplan::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;

const std::string kBase =
    "train resnet20.pt --weight-bits 4 --activation-bits 4 --data cifar10:train.bin --samples 320 --batch-size 64 ";
const std::string kTrain = kBase + "--learning-rate 0.003 --out trained.pt ";

TEST(TrainCommand, LeavesFilesThatTheOtherCommandsRead) {
  const Workspace work;
  const ToolRun run =
      work.Run(kTrain +
               "--epochs 2 --test cifar10:test.bin --crop-padding 4 --flip --distillation 0.5 --curve-csv "
               "c.csv --curve-svg c.svg --json -");
  ASSERT_EQ(run.code, 0) << run.err;
  const json result = json::parse(run.out);
  EXPECT_EQ(result["schema"], "bitplan.training/1");
  EXPECT_EQ(result["curve"].size(), 3);
  const double accuracy = result["evaluation"]["planned"]["accuracy"];
  EXPECT_GT(accuracy, 0.7);
  const std::string curve = work.Read("c.csv");
  EXPECT_EQ(std::count(curve.begin(), curve.end(), '\n'), 4);
  EXPECT_THAT(work.Read("c.svg"), StartsWith("<svg"));
  EXPECT_FALSE(std::filesystem::exists(work / "trained.pt.checkpoint"));

  const ToolRun eval = work.Run("eval trained.float.pt --plan trained.json --data cifar10:test.bin --json -");
  ASSERT_EQ(eval.code, 0) << eval.err;
  EXPECT_EQ(json::parse(eval.out)["planned"]["accuracy"], accuracy);
  const ToolRun integer =
      work.Run("eval trained.float.pt --plan trained.json --data cifar10:test.bin --samples 100 --integer --json -");
  ASSERT_EQ(integer.code, 0) << integer.err;
  EXPECT_NEAR(json::parse(integer.out)["integer"]["accuracy"].get<double>(),
              json::parse(integer.out)["planned"]["accuracy"].get<double>(), 0.03);
  const ToolRun quantize =
      work.Run("quantize trained.float.pt trained.json --out again.pt --packed packed.safetensors");
  EXPECT_EQ(quantize.code, 0) << quantize.err;
}

TEST(TrainCommand, GoesOnWhereItWasInterruptedToTheSameBytes) {
  const Workspace work;
  ASSERT_EQ(work.Run(kBase + "--learning-rate 0.003 --epochs 2 --out whole.pt").code, 0);
  const ToolRun first =
      RunTool(work.path(), kTrain + "--epochs 2", BITPLAN_TEST_DIR "/cli/interrupt_when.sh trained.pt.checkpoint");
  EXPECT_EQ(first.code, 130) << first.err;
  EXPECT_THAT(first.err, HasSubstr("the same command with --resume"));
  EXPECT_FALSE(std::filesystem::exists(work / "trained.pt"));
  const ToolRun other = work.Run(kTrain + "--epochs 2 --resume --momentum 0.5");
  EXPECT_EQ(other.code, 2);
  EXPECT_THAT(other.err, HasSubstr("another momentum: 0.9 there, 0.5 here"));
  EXPECT_THAT(other.err, testing::Not(HasSubstr("goes on from there")));  // it would be refused again
  const ToolRun rest = work.Run(kTrain + "--epochs 2 --resume");
  ASSERT_EQ(rest.code, 0) << rest.err;
  EXPECT_TRUE(work.Read("trained.float.pt") == work.Read("whole.float.pt"));
  EXPECT_EQ(work.Read("trained.json"), work.Read("whole.json"));
}

TEST(TrainCommand, SaysWhereItDivergedAndKeepsTheLastGoodEpoch) {
  const Workspace work;
  const ToolRun run = work.Run(kBase + "--out trained.pt --epochs 1 --learning-rate 1e30");
  EXPECT_EQ(run.code, 4);
  EXPECT_THAT(run.err, HasSubstr("training diverged in epoch 1, step "));
  EXPECT_THAT(run.err, HasSubstr("what was written is of epoch 0"));
  EXPECT_TRUE(std::filesystem::exists(work / "trained.pt"));
}

TEST(TrainCommand, TrainsWhatATargetHas) {
  const Workspace work;
  const ToolRun run = work.Run(
      "train resnet20.pt --target tensorrt --data cifar10:train.bin --samples 128 --batch-size 64 --epochs 1 --out "
      "trained.pt");
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("written: trained.pt, trained.json, trained.float.pt"));
}

TEST(TrainCommand, RefusesOptionsThatMakeNoSense) {
  const Workspace work;
  const auto expect = [&](const std::string& arguments, const char* part) {
    const ToolRun run = work.Run(arguments);
    EXPECT_EQ(run.code, 2) << arguments;
    EXPECT_THAT(run.err, HasSubstr(part)) << arguments;
  };
  expect("train resnet20.pt --data cifar10:train.bin --out t.pt", "--plan is missing");
  expect(kTrain + "--method none", "lsq-plus");
  expect(kTrain + "--batch-norm none", "two-convolutions");
  expect(kTrain + "--epochs 0", "--epochs 0: expected a whole number from 1 on");
  expect(kTrain + "--schedule step", "step_epochs");
  expect(kTrain + "--held-out 10", "percentage");
  expect(kTrain + "--plan plan.json", "leave out one of the two");
  expect(kTrain + "--plan-out no/such/folder/p.json", "no/such/folder");
  EXPECT_FALSE(std::filesystem::exists(work / "trained.pt"));
}

}  // namespace
}  // namespace bitplan::test
