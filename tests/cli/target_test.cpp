// Targets as a user gives them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/tool.h"

namespace bitplan::test {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

TEST(InspectCommand, ShowsAndDrawsWhereATargetPutsQuantizers) {
  const Workspace work;
  const ToolRun run =
      work.Run("inspect resnet20.pt --input 3,32,32 --target tensorrt --svg placement.svg --json report.json");
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_THAT(run.out, AllOf(HasSubstr("quantized on tensorrt"), HasSubstr("layer1.1.conv1, add_1"),
                             HasSubstr("accumulator of layer1.1.conv2")));
  EXPECT_THAT(work.Read("placement.svg"), AllOf(StartsWith("<svg"), HasSubstr("layer3.2.conv2")));
  const json placement = json::parse(work.Read("report.json"))["placement"];
  EXPECT_EQ(placement["target"], "tensorrt");
  EXPECT_EQ(placement["weights"].size(), 20U);
  EXPECT_EQ(placement["tensors"].size(), 23U);
  EXPECT_EQ(placement["tensors"][0]["format"]["bits"], 8);
}

TEST(InspectCommand, RefusesTargetsThatThereAreNot) {
  const Workspace work;
  const ToolRun unknown = work.Run("inspect resnet20.pt --input 3,32,32 --target abacus");
  EXPECT_EQ(unknown.code, 2);
  EXPECT_THAT(unknown.err, AllOf(HasSubstr("abacus"), HasSubstr("tensorrt")));
  EXPECT_EQ(work.Run("inspect resnet20.pt --input 3,32,32 --svg placement.svg").code, 2);
}

TEST(QuantizeCommand, MakesATargetsOwnPlanAndRefusesAnothers) {
  const Workspace work;
  const std::string calibration = " --calibration cifar10:train.bin --calibration-samples 32 ";
  const std::string quantize = "quantize resnet20.pt --target fbgemm --packed fbgemm.safetensors" + calibration;
  const ToolRun made = work.Run(quantize);
  ASSERT_EQ(made.code, 0) << made.err;
  const std::string packed = work.Read("fbgemm.safetensors");
  EXPECT_THAT(packed, HasSubstr("add_8.0/scale"));
  ASSERT_EQ(work.Run(quantize + "--activation-calibrator max").code, 0);  // how ranges are found is the user's to say
  EXPECT_EQ(work.Read("fbgemm.safetensors").size(), packed.size());
  EXPECT_NE(work.Read("fbgemm.safetensors"), packed);
  const ToolRun numbers = work.Run(quantize + "--activation-scheme symmetric");
  EXPECT_EQ(numbers.code, 2);
  EXPECT_THAT(numbers.err, AllOf(HasSubstr("--activation-scheme"), HasSubstr("--target fbgemm")));

  const ToolRun run = work.Run(
      "run resnet20.pt --data cifar10:train.bin --test cifar10:test.bin --target tensorrt --budget weight_size=25% "
      "--samples 32 "
      "--resamples 0 --out-dir result");
  ASSERT_EQ(run.code, 0) << run.err;
  const json plan = json::parse(work.Read("result/plan.json"));
  EXPECT_EQ(plan["operands"].size(), 10U);
  EXPECT_EQ(plan["layers"][3]["weight"]["bits"], 8);
  EXPECT_EQ(plan["layers"][3]["activation"]["scheme"], "symmetric");
  EXPECT_EQ(
      work.Run("quantize resnet20.pt result/plan.json --target tensorrt --packed own.safetensors" + calibration).code,
      0);
  EXPECT_EQ(plan["costs"]["file_size_bytes"], work.Read("own.safetensors").size());
  const ToolRun refused =
      work.Run("quantize resnet20.pt result/plan.json --target tvm --packed tvm.safetensors" + calibration);
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("target tvm cannot run the plan"), HasSubstr("'conv1', weight"),
                                 HasSubstr("power-of-two")));

  EXPECT_EQ(
      work.Run("calibrate resnet20.pt --data cifar10:train.bin --samples 32 --operands --out statistics.json").code, 0);
  EXPECT_EQ(work.Run("quantize resnet20.pt result/plan.json --statistics statistics.json --packed own.safetensors" +
                     calibration)
                .code,
            0);
  const ToolRun measured =
      work.Run("eval resnet20.pt --plan result/plan.json --data cifar10:test.bin --samples 64 --json -" + calibration);
  ASSERT_EQ(measured.code, 0) << measured.err;
  EXPECT_GE(json::parse(measured.out)["planned"]["agreement"], 0.95);
}

TEST(SearchCommand, LeavesLayersTheWidthsOfATarget) {
  const Workspace work;
  const std::string analyze = "analyze resnet20.pt --data cifar10:train.bin --samples 32 --measures weight-error ";
  ASSERT_EQ(work.Run(analyze + "--target academic --activation-bits 4,8 --out academic.json").code, 0);
  const std::string search = "search academic.json --measure weight-error --budget weight_size=9% --out plan.json ";
  const ToolRun run = work.Run(search + "--target academic");
  ASSERT_EQ(run.code, 0) << run.err;
  const json plan = json::parse(work.Read("plan.json"));
  EXPECT_EQ(plan["layers"].front()["weight"]["bits"], 8);
  EXPECT_EQ(plan["layers"].back()["activation"]["bits"], 8);
  EXPECT_EQ(work.Run("quantize resnet20.pt plan.json --target academic --packed packed.safetensors --calibration "
                     "cifar10:train.bin")
                .code,
            0);
  const ToolRun kept = work.Run(search + "--target academic --keep first=4");
  EXPECT_EQ(kept.code, 2);
  EXPECT_THAT(kept.err, AllOf(HasSubstr("--keep first"), HasSubstr("'conv1' (8)")));
  const ToolRun unknown = work.Run(search + "--target academic --keep nosuch=8");
  EXPECT_EQ(unknown.code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("nosuch"));
  ASSERT_EQ(work.Run(analyze + "--out own.json").code, 0);
  EXPECT_THAT(
      work.Run("search own.json --measure weight-error --budget weight_size=9% --out plan.json --target academic").err,
      HasSubstr("analyze --target academic"));
}

TEST(RunCommand, RefusesOptionsThatAreTheTargetsToSay) {
  const Workspace work;
  const ToolRun run = work.Run(
      "analyze resnet20.pt --data cifar10:train.bin --target snpe --weight-scheme symmetric --out sensitivity.json");
  EXPECT_EQ(run.code, 2);
  EXPECT_THAT(run.err, AllOf(HasSubstr("--weight-scheme"), HasSubstr("--target snpe")));
  const ToolRun widths =
      work.Run("analyze resnet20.pt --data cifar10:train.bin --target snpe --weight-bits 4 --out sensitivity.json");
  EXPECT_EQ(widths.code, 2);
  EXPECT_THAT(widths.err, AllOf(HasSubstr("--weight-bits"), HasSubstr("'conv1' (8)")));
  const ToolRun kept = work.Run(
      "run resnet20.pt --data cifar10:train.bin --test cifar10:test.bin --target academic --budget weight_size=25% "
      "--out-dir result "
      "--keep 'layer1.*=w4,8' --keep first=4");
  EXPECT_EQ(kept.code, 2);
  EXPECT_THAT(kept.err, AllOf(HasSubstr("--keep first"), HasSubstr("'conv1' (8)")));
}

}  // namespace
}  // namespace bitplan::test
