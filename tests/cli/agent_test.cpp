// The learning agent, and plans chosen by measuring, as a user runs them.
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

const std::string kAgent =
    "search --problem '" BITPLAN_TEST_DIR "/search/instances/hawq-v3-resnet18-bops-0.5.json' --method agent ";

TEST(AgentCommand, WritesItsLearningCurveAndGoesOnToMoreEpisodes) {
  const Workspace work;
  const std::string files = "--agent-checkpoint agent --curve-csv curve.csv --curve-svg curve.svg --json -";
  const ToolRun run = work.Run(kAgent + "--episodes 30 " + files);
  ASSERT_EQ(run.code, 0) << run.err;
  const json solution = json::parse(run.out);
  EXPECT_EQ(solution["method"], "agent");
  EXPECT_NEAR(solution["bound"].get<double>(), 0.215689323024, 1e-12);  // the optimum
  EXPECT_GE(solution["objective"].get<double>(), 0.215689323024 - 1e-12);
  EXPECT_LE(solution["costs"]["bops"].get<double>(), solution["budgets"]["bops"].get<double>() * (1 + 1e-9));
  const std::string curve = work.Read("curve.csv");
  EXPECT_EQ(std::count(curve.begin(), curve.end(), '\n'), 31);
  EXPECT_THAT(work.Read("curve.svg"), StartsWith("<svg"));
  ASSERT_EQ(work.Run(kAgent + "--episodes 40 " + files).code, 0);
  EXPECT_THAT(work.Read("curve.csv"), StartsWith(curve));
  EXPECT_EQ(work.Run(kAgent + "--episodes 40 --agent-seed 3 " + files).code, 2);
}

TEST(AgentCommand, PrintsItsDistanceFromTheOptimum) {
  const Workspace work;
  const ToolRun run = work.Run(kAgent + "--episodes 25");
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("bound 0.21568932, gap"));
}

TEST(AgentCommand, RefusesOptionsThatMakeNoSense) {
  const Workspace work;
  const auto expect = [&](const std::string& arguments, const char* part) {
    const ToolRun run = work.Run(arguments);
    EXPECT_EQ(run.code, 2) << arguments;
    EXPECT_THAT(run.err, HasSubstr(part)) << arguments;
  };
  expect(kAgent + "--episodes 0", "--episodes 0");
  expect(kAgent + "--warm-up 0", "--warm-up 0");
  expect(kAgent + "--curve-csv no/such/folder/c.csv", "no/such/folder");
  expect("search --problem x.json --episodes 5", "--method agent");
  expect("pareto --problem '" BITPLAN_TEST_DIR
         "/search/instances/hawq-v3-resnet18-bops-0.5.json' --along bops --method agent",
         "--method agent: expected greedy, exact or convex");
  const std::string run =
      "run resnet20.pt --data cifar10:train.bin --test cifar10:test.bin --budget weight_size=12.5% --out-dir result ";
  expect(run + "--candidates 0", "--candidates 0");
  expect(run + "--refine -1", "--refine -1: expected a whole number from 0 on");
  expect(run + "--apart 0 --candidates 2", "--apart 0");
  expect(run + "--held-out 9", "--candidates or --refine");
  expect(run + "--candidates 2 --held-out 1", "--held-out 1: expected a whole number from 2 on");
  expect(run + "--candidates 2 --held-out 600",
         "train.bin has 1024 samples, --samples 512 and --held-out 600 take 1112");
  expect(run + "--candidates 2 --samples 0", "--samples 0");
  expect(run + "--candidates 2 --apart 99", "20 groups");
  expect(run + "--refine 2 --price bops=1e-12", "prices");
  expect(run + "--reward measured", "--method agent");
  expect(run + "--reward other", "predicted or measured");
}

}  // namespace
}  // namespace bitplan::test
