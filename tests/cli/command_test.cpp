// Each command on the bundled network and images, as a user runs it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/tool.h"

namespace bitplan::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

TEST(Help, ListsCommandsAndOptions) {
  const Workspace work;
  EXPECT_EQ(work.Run("--help").code, 0);
  EXPECT_THAT(Commands(), testing::IsSupersetOf({"inspect", "search", "run"}));
  for (const std::string& command : Commands()) {
    const ToolRun own = work.Run(command + " --help");
    EXPECT_EQ(own.code, 0);
    EXPECT_THAT(own.out, HasSubstr("--json"));
  }
}

// OpenMP speaks each time that it is set up, of LibTorch's libraries one of the first.
TEST(Threads, SleepWhileTheyWaitWithoutLoadingLibTorchTwice) {
  const Workspace work;
  const ToolRun run =
      RunTool(work.path(), "--version", "env -u OMP_WAIT_POLICY -u GOMP_SPINCOUNT OMP_DISPLAY_ENV=true");
  EXPECT_EQ(run.code, 0);
  EXPECT_THAT(run.err, HasSubstr("OMP_WAIT_POLICY = 'PASSIVE'"));
  const std::string begin = "OPENMP DISPLAY ENVIRONMENT BEGIN";
  EXPECT_EQ(run.err.find(begin), run.err.rfind(begin)) << run.err;
}

TEST(InspectCommand, CountsResNet20AsPublished) {
  const Workspace work;
  const ToolRun run = work.Run("inspect resnet20.pt --input 3,32,32 --json -");
  ASSERT_EQ(run.code, 0) << run.err;
  const json report = json::parse(run.out);
  EXPECT_EQ(report["schema"], "bitplan.inspection/1");
  EXPECT_EQ(report["macs"], 40551040);
  EXPECT_EQ(report["weights"], 267696 + 640);
  EXPECT_EQ(report["layers"].size(), 20U);
}

TEST(SearchCommand, SolvesAProblemFileWithoutAModel) {
  const Workspace work;
  const ToolRun run =
      work.Run("search --problem '" BITPLAN_TEST_DIR "/search/instances/hawq-v3-resnet18-bops-0.5.json' --json -");
  ASSERT_EQ(run.code, 0) << run.err;
  const json solution = json::parse(run.out);
  EXPECT_EQ(solution["schema"], "bitplan.solution/1");
  EXPECT_EQ(solution["status"], "optimal");
  EXPECT_NEAR(solution["objective"].get<double>(), 0.215689323024, 1e-12);
  for (const char* key : {"method", "bound", "gap", "costs", "budgets", "seconds"})
    EXPECT_TRUE(solution.contains(key)) << key;
  EXPECT_EQ(solution["choices"].size(), 16U);  // groups: three of them tie two layers each
}

TEST(EvalCommand, MeasuresTheFloatNetwork) {
  const Workspace work;
  const ToolRun run = work.Run("eval resnet20.pt --data cifar10:test.bin --json -");
  ASSERT_EQ(run.code, 0) << run.err;
  const json report = json::parse(run.out);
  EXPECT_EQ(report["schema"], "bitplan.evaluation/1");
  EXPECT_EQ(report["float"]["correct"], 932);
  EXPECT_EQ(report["float"]["total"], 1017);
}

TEST(ConfigFile, GivesOptionsThatTheCommandLineOverrides) {
  const Workspace work;
  work.Write("run.ini", "data = cifar10:test.bin\nsamples = 16\n");
  const ToolRun from_file = work.Run("eval resnet20.pt --config run.ini --json -");
  ASSERT_EQ(from_file.code, 0) << from_file.err;
  EXPECT_EQ(json::parse(from_file.out)["float"]["total"], 16);
  const ToolRun overridden = work.Run("eval resnet20.pt --config run.ini --samples 8 --json -");
  EXPECT_EQ(json::parse(overridden.out)["float"]["total"], 8);
}

TEST(SpectrumCommand, ShowsBothMatricesOfSomeLayers) {
  const Workspace work;
  const std::string spectrum = "spectrum resnet20.pt --data cifar10:train.bin --samples 4 --probes 2 --layers last ";
  const ToolRun run = work.Run(spectrum + "--csv density.csv --svg density.svg --json -");
  ASSERT_EQ(run.code, 0) << run.err;
  const json report = json::parse(run.out);
  EXPECT_EQ(report["schema"], "bitplan.spectrum/1");
  EXPECT_EQ(report["layers"], json({"linear"}));
  EXPECT_EQ(report["weights"], 640);
  EXPECT_EQ(report["probes"].size(), 2U);
  EXPECT_THAT(work.Read("density.csv"), testing::StartsWith("eigenvalue,density,standard error\n"));
  EXPECT_THAT(work.Read("density.svg"), HasSubstr("</svg>"));
  const ToolRun exact = work.Run(spectrum + "--exact-hessian --json -");
  ASSERT_EQ(exact.code, 0) << exact.err;
  // The loss is convex in the last layer's weight: both matrices are the same.
  const double largest = report["largest_eigenvalue"];
  EXPECT_NEAR(json::parse(exact.out)["largest_eigenvalue"], largest, 1e-3 * largest);
  const ToolRun table = work.Run(spectrum);
  for (const char* line : {"largest eigenvalue", "trace", "eigenvalues near zero"})
    EXPECT_THAT(table.out, HasSubstr(line));
}

TEST(AnalyzeCommand, GivesTheSameBytesForTheSameSeed) {
  const Workspace work;
  const std::string analyze =
      "analyze resnet20.pt --data cifar10:train.bin --samples 8 --measures trace --activation-bits 8,32 --out ";
  ASSERT_EQ(work.Run(analyze + "a.json").code, 0);
  ASSERT_EQ(work.Run(analyze + "b.json").code, 0);
  EXPECT_EQ(work.Read("a.json"), work.Read("b.json"));
}

TEST(AnalyzeCommand, TellsHowFarBFloat16IsFromFloat32) {
  const Workspace work;
  const std::string analyze =
      "analyze resnet20.pt --data cifar10:train.bin --samples 4 --measures trace --out s.json --compute ";
  const ToolRun run = work.Run(analyze + "bfloat16");
  ASSERT_EQ(run.code, 0) << run.err;
  double most = 0;
  std::string where;
  const json rounded = json::parse(work.Read("s.json"));
  for (const json& layer : rounded["layers"])
    if (const double rows = layer["difference_from_float32"]["rows"]; rows > most) {
      most = rows;
      where = layer["name"];
    }
  EXPECT_GT(most, 0);
  EXPECT_LT(most, 1);
  EXPECT_THAT(run.out, testing::ContainsRegex("bfloat16 differs from float32 by at most .*at " + where + "\n"));
  const ToolRun exact = work.Run(analyze + "float32");
  EXPECT_THAT(exact.out, testing::Not(HasSubstr("float32")));
  EXPECT_TRUE(json::parse(work.Read("s.json"))["layers"][0]["difference_from_float32"].is_null());
}

TEST(SearchCommand, TellsHowStableAJointPlanIs) {
  const Workspace work;
  ASSERT_EQ(work.Run("analyze resnet20.pt --data cifar10:train.bin --samples 12 --measures logit-shift --weight-bits "
                     "3,6 --shifts --out s.json")
                .code,
            0);
  const ToolRun search =
      work.Run("search s.json --joint --measure logit-shift --budget average_bits=4 --resamples 10 --out plan.json");
  ASSERT_EQ(search.code, 0) << search.err;
  EXPECT_THAT(search.out, HasSubstr("on 10 resamples of the samples the plan stays the best"));
  const json stability = json::parse(work.Read("plan.json"))["stability"];
  EXPECT_EQ(stability["resamples"], 10);
  EXPECT_EQ(stability["kept"].size(), 20U);
  for (const char* share : {"best", "proven"}) {
    EXPECT_GE(stability[share].get<double>(), 0);
    EXPECT_LE(stability[share].get<double>(), 1);
  }
}

TEST(SearchCommand, TakesTheFisherMeasureWithChoicesOfActivations) {
  const Workspace work;
  const ToolRun analyze = work.Run(
      "analyze resnet20.pt --data cifar10:train.bin --samples 8 --measures fisher --weight-bits 4,8 --activation-bits "
      "4,8 --out s.json");
  ASSERT_EQ(analyze.code, 0) << analyze.err;
  const ToolRun search = work.Run("search s.json --measure fisher --budget bops=3% --out plan.json");
  ASSERT_EQ(search.code, 0) << search.err;
  const json plan = json::parse(work.Read("plan.json"));
  EXPECT_EQ(plan["measure"], "fisher");
}

}  // namespace
}  // namespace bitplan::test
