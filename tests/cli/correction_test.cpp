// Corrections and integer arithmetic, from the command line to the report.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/tool.h"

namespace bitplan::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

/// A workspace with a plan of 3-bit weights and 8-bit inputs in plan.json.
class Corrections : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(work.Run("analyze resnet20.pt --data cifar10:train.bin --samples 4 --measures relative-error "
                       "--weight-bits 3 --activation-bits 8 --out s.json")
                  .code,
              0);
    ASSERT_EQ(work.Run("search s.json --measure relative-error --budget average_bits=3 --out plan.json").code, 0);
  }

  json Evaluated(const std::string& options) const {
    const ToolRun run = work.Run(
        "eval resnet20.pt --plan plan.json --calibration-samples 64 --data cifar10:test.bin "
        "--samples 200 --json - " +
        options);
    EXPECT_EQ(run.code, 0) << run.err;
    return json::parse(run.out);
  }

  const Workspace work;
};

TEST_F(Corrections, OverrideThePlansOwn) {
  EXPECT_EQ(json::parse(work.Read("plan.json"))["corrections"],
            json::parse(R"({"rescaling": "none", "smoothing": 0.5, "rounding": "nearest", "output": "channel"})"));
  const auto divergence = [&](const std::string& options) {
    return Evaluated(options)["planned"]["divergence"].get<double>();
  };
  const double none = divergence("--output-correction none"), channel = divergence("");
  EXPECT_LT(channel, 0.5 * none);
  EXPECT_LT(divergence("--rounding gptq"), channel);
  EXPECT_LT(divergence("--rounding gptq --output-correction none"), 0.5 * none);
  EXPECT_LT(divergence("--output-correction bias"), none);
  EXPECT_NE(divergence("--rescaling equalization"), channel);
  ASSERT_EQ(work.Run("quantize resnet20.pt plan.json --rounding gptq --calibration-samples 64 --out q.pt --packed "
                     "q.safetensors")
                .code,
            0);
}

TEST_F(Corrections, ThatCannotBeAreRefusedByName) {
  const auto message = [&](const std::string& options) {
    const ToolRun run = work.Run("quantize resnet20.pt plan.json --out q.pt " + options);
    EXPECT_EQ(run.code, 2) << options;
    return run.err;
  };
  EXPECT_THAT(message("--rounding up"), HasSubstr("nearest, adaround or gptq"));
  EXPECT_THAT(message("--rescaling awk"), HasSubstr("awq"));
  EXPECT_THAT(message("--output-correction scale"), HasSubstr("bias-from-batch-norm"));
  EXPECT_THAT(message("--smoothing 2"), HasSubstr("expected a number from 0 to 1"));
  EXPECT_THAT(message("--output-correction batch-norm"), HasSubstr("--no-fold-batch-norm"));
  EXPECT_FALSE(std::filesystem::exists(work / "q.pt"));
}

TEST_F(Corrections, AreWhatIntegersComputeWith) {
  const json report = Evaluated("--rounding gptq --integer");
  EXPECT_NEAR(report["integer"]["correct"].get<int>(), report["planned"]["correct"].get<int>(), 1);
  EXPECT_NEAR(report["integer"]["divergence"].get<double>(), report["planned"]["divergence"].get<double>(), 0.01);
}

}  // namespace
}  // namespace bitplan::test
