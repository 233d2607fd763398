// Number formats and calibrators, from the command line to the files.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/tool.h"

namespace bitplan::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

TEST(Formats, GoFromOptionsThroughPlansToFiles) {
  const Workspace work;
  const ToolRun analyze = work.Run(
      "analyze resnet20.pt --data cifar10:train.bin --samples 4 --measures relative-error --weight-type e2m1 "
      "--weight-bits 4,16 --weight-granularity block "
      "--weight-group 32 --weight-scales power-of-two --weight-calibrator max --activation-type e4m3 --activation-bits "
      "8 --out sensitivity.json");
  ASSERT_EQ(analyze.code, 0) << analyze.err;
  ASSERT_EQ(work.Run("search sensitivity.json --measure relative-error --budget average_bits=4 --out plan.json").code,
            0);
  const json layer = json::parse(work.Read("plan.json"))["layers"][3];
  EXPECT_EQ(layer["weight"]["type"], "e2m1");
  EXPECT_EQ(layer["weight"]["group_size"], 32);
  EXPECT_EQ(layer["activation"]["type"], "e4m3");
  const ToolRun quantize =
      work.Run("quantize resnet20.pt plan.json --out quantized.pt --packed packed.safetensors --json -");
  ASSERT_EQ(quantize.code, 0) << quantize.err;
  // 4 bits a weight and a byte for each 32.
  EXPECT_NEAR(json::parse(quantize.out)["packed_size_bytes"].get<double>(), 268336 * (0.5 + 1.0 / 32), 16000);
}

/// Weights of one bit, −1 and 1 or the integers −1 and 0, beside wider ones.
TEST(Formats, OfOneBitGoFromTheAnalysisToTheEvaluation) {
  for (const auto& [type, other] : std::map<std::string, int>{{"binary", 16}, {"integer", 4}}) {
    SCOPED_TRACE(type);
    const Workspace work;
    const ToolRun analyze = work.Run(
        fmt::format("analyze resnet20.pt --data cifar10:train.bin --samples 8 --measures logit-shift --weight-type {} "
                    "--weight-bits 1,{} --out sensitivity.json",
                    type, other));
    ASSERT_EQ(analyze.code, 0) << analyze.err;
    // Of 268,336 weights, and a little for scales and biases: neither all of one width nor all of the other.
    const int kib = type == "binary" ? 200 : 100;
    const ToolRun search = work.Run(fmt::format(
        "search sensitivity.json --measure logit-shift --budget file_size={}KiB --budget energy=100% --out plan.json",
        kib));
    ASSERT_EQ(search.code, 0) << search.err;
    std::set<int> widths;
    const json plan = json::parse(work.Read("plan.json"));
    for (const json& layer : plan["layers"]) {
      widths.insert(layer["weight"]["bits"].get<int>());
      EXPECT_EQ(layer["weight"]["type"], layer["weight"]["bits"] == 16 ? "float16" : type);
    }
    EXPECT_EQ(widths, (std::set{1, other}));
    const ToolRun quantize =
        work.Run("quantize resnet20.pt plan.json --out quantized.pt --packed packed.safetensors --json -");
    ASSERT_EQ(quantize.code, 0) << quantize.err;
    EXPECT_LE(json::parse(quantize.out)["packed_size_bytes"], kib * 1024);
    const ToolRun eval =
        work.Run("eval resnet20.pt --plan plan.json --data cifar10:test.bin --samples 32 --json evaluation.json");
    ASSERT_EQ(eval.code, 0) << eval.err;
    EXPECT_EQ(json::parse(work.Read("evaluation.json"))["planned"]["total"], 32);
  }
}

TEST(Formats, OfOneBitCanBeTheUniformPlanThatRunComparesWith) {
  const Workspace work;
  const ToolRun run = work.Run(
      "run resnet20.pt --data cifar10:train.bin --samples 4 --test cifar10:test.bin "
      "--measure relative-error --weight-type binary --weight-bits 1,32 --budget weight_size=10% --out-dir result");
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("uniform w1a32"));
}

TEST(Formats, ThatCannotBeAreRefusedByName) {
  const Workspace work;
  const auto message = [&](const std::string& options) {
    const ToolRun run = work.Run(
        "analyze resnet20.pt --data cifar10:train.bin --samples 4 --measures relative-error --out s.json " + options);
    EXPECT_EQ(run.code, 2) << options;
    return run.err;
  };
  EXPECT_THAT(message("--weight-type nf5"), HasSubstr("nf4"));
  EXPECT_THAT(message("--weight-type nf4"), HasSubstr("nf4 has 4"));
  EXPECT_THAT(message("--weight-granularity group --weight-group 32"),
              HasSubstr("32 does not divide the 27 values of a channel"));
  EXPECT_THAT(message("--weight-granularity group"), HasSubstr("group_size"));
  EXPECT_THAT(message("--activation-bits 4 --activation-type nf4"), HasSubstr("is for weights"));
  EXPECT_FALSE(std::filesystem::exists(work / "s.json"));
}

TEST(CalibrateCommand, CollectsWhatQuantizeFindsRangesFrom) {
  const Workspace work;
  ASSERT_EQ(work.Run("analyze resnet20.pt --data cifar10:train.bin --samples 4 --measures relative-error "
                     "--activation-bits 8 --out s.json")
                .code,
            0);
  ASSERT_EQ(work.Run("search s.json --measure relative-error --budget average_bits=4 --out plan.json").code, 0);
  const ToolRun calibrate =
      work.Run("calibrate resnet20.pt --data cifar10:train.bin --samples 64 --out statistics.json");
  ASSERT_EQ(calibrate.code, 0) << calibrate.err;
  EXPECT_THAT(calibrate.out, HasSubstr("layer3.2.conv2"));
  EXPECT_EQ(json::parse(work.Read("statistics.json"))["schema"], "bitplan.statistics/1");
  ASSERT_EQ(work.Run("quantize resnet20.pt plan.json --out own.pt").code, 0);
  ASSERT_EQ(work.Run("quantize resnet20.pt plan.json --statistics statistics.json --out other.pt").code, 0);
  EXPECT_NE(work.Read("own.pt"), work.Read("other.pt"));
  const ToolRun unfolded =
      work.Run("calibrate resnet20.pt --data cifar10:train.bin --samples 4 --no-fold-batch-norm --out unfolded.json");
  const ToolRun refused = work.Run("quantize resnet20.pt plan.json --statistics unfolded.json --out refused.pt");
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, HasSubstr("batch norm"));
}

}  // namespace
}  // namespace bitplan::test
