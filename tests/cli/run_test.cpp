// The main job, held to the figures that it must reach on the bundled network.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/tool.h"

namespace bitplan::test {
namespace {

using nlohmann::json;

json RunAt(const Workspace& work, const std::string& budget) {
  const ToolRun run = work.Run("run resnet20.pt --data cifar10:train.bin --test cifar10:test.bin --budget weight_size=" + budget +
                               " --out-dir result --json -");
  EXPECT_EQ(run.code, 0) << run.err;
  return json::parse(run.out);
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

}  // namespace
}  // namespace bitplan::test
