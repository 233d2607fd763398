// Formats by hand, from options and files to the report.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/tool.h"

namespace bitplan::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

const std::string kEval =
    "eval resnet20.pt --calibration cifar10:train.bin --calibration-samples 64 --data cifar10:test.bin --samples 100 "
    "--json - ";

TEST(Configuration, TakesThePlaceOfAPlan) {
  const Workspace work;
  work.Write("layers.yaml",
             "schema: bitplan.configuration/1\n"
             "layers:\n"
             "- match: first\n"
             "  weight: {bits: 8}\n"
             "- match: 'layer3.*'\n"
             "  weight: {bits: 2}\n");
  const auto divergence = [&](const std::string& options) {
    const ToolRun run = work.Run(kEval + options);
    EXPECT_EQ(run.code, 0) << run.err;
    return json::parse(run.out)["planned"]["divergence"].get<double>();
  };
  const double eight = divergence("--weight-bits 8 --activation-bits 8"),
               four = divergence("--weight-bits 4 --activation-bits 32");
  EXPECT_LT(eight, 0.01);
  EXPECT_LT(eight, four);
  EXPECT_GT(divergence("--weight-bits 4 --activation-bits 32 --layer-config layers.yaml"), four);
  EXPECT_GT(divergence("--weight-bits 4 --activation-bits 32 --weight-granularity tensor"), four);
  const ToolRun quantize = work.Run(
      "quantize resnet20.pt --weight-bits 8 --layer-config layers.yaml --calibration cifar10:train.bin "
      "--calibration-samples 64 "
      "--packed packed.safetensors --json -");
  ASSERT_EQ(quantize.code, 0) << quantize.err;
  // 2 bits in the last stage, which has three quarters of the weights; 8 elsewhere.
  EXPECT_LT(json::parse(quantize.out)["packed_size_bytes"].get<double>(), 0.5 * 268336 + 16000);
}

TEST(Configuration, IsRefusedBesideAPlanOrInPart) {
  const Workspace work;
  const auto message = [&](const std::string& command) {
    const ToolRun run = work.Run(command);
    EXPECT_EQ(run.code, 2) << command;
    return run.err;
  };
  EXPECT_THAT(message("quantize resnet20.pt plan.json --weight-bits 4 --out q.pt"), HasSubstr("by hand as well"));
  EXPECT_THAT(message(kEval + "--plan plan.json --weight-bits 4"), HasSubstr("by hand as well"));
  EXPECT_THAT(message("quantize resnet20.pt --weight-scheme asymmetric --out q.pt"), HasSubstr("--weight-bits"));
  EXPECT_THAT(message(kEval + "--weight-bits 9"), HasSubstr("--weight-bits 9: expected bits: 1 to 8, 16 or 32"));
  EXPECT_THAT(message("quantize resnet20.pt --weight-bits 4 --out q.pt"), HasSubstr("--calibration"));
  work.Write("layers.yaml", "schema: bitplan.configuration/1\nlayers: [{match: 'layer9.*', weight: {bits: 4}}]\n");
  EXPECT_THAT(message(kEval + "--layer-config layers.yaml"), HasSubstr("layer9.*"));
  EXPECT_FALSE(std::filesystem::exists(work / "q.pt"));
}

}  // namespace
}  // namespace bitplan::test
