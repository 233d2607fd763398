// No command overwrites what it reads or writes elsewhere, and results that did not get through are a failure.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "cli/tool.h"

namespace bitplan::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

/// A workspace whose inputs are files of its own, as their loss would be one.
class Overwriting : public testing::Test {
 protected:
  Overwriting() {
    fs::copy_file(fs::canonical(work_ / "resnet20.pt"), work_ / "own.pt");
    fs::copy_file(fs::canonical(work_ / "train.bin"), work_ / "own.bin");
    fs::create_symlink("own.pt", work_ / "link.pt");
    fs::create_hard_link(work_ / "own.pt", work_ / "hard.pt");
    fs::create_directory(work_ / "folder");
    model_ = work_.Read("own.pt");
    data_ = work_.Read("own.bin");
  }

  void ExpectRefused(const std::string& arguments, const std::string& which) const {
    const std::size_t before = work_.Files();
    const ToolRun run = work_.Run(arguments);
    EXPECT_EQ(run.code, 2) << arguments << run.err;
    EXPECT_THAT(run.err, AllOf(HasSubstr("would overwrite"), HasSubstr(which))) << arguments;
    EXPECT_EQ(std::count(run.err.begin(), run.err.end(), '\n'), 1) << run.err;
    EXPECT_EQ(work_.Files(), before) << arguments;
    EXPECT_TRUE(work_.Read("own.pt") == model_ && work_.Read("own.bin") == data_) << arguments;
  }

  const Workspace work_;
  std::string model_, data_;
};

TEST_F(Overwriting, AnInputIsRefusedByEveryCommand) {
  const std::string data = " --data cifar10:own.bin ";
  ExpectRefused("quantize own.pt plan.json --out own.pt", "--out would overwrite MODEL.pt");
  ExpectRefused("quantize own.pt plan.json --out q.pt --packed plan.json", "--packed would overwrite plan.json");
  ExpectRefused("quantize own.pt plan.json --calibration cifar10:own.bin --out own.bin", "--calibration");
  ExpectRefused("quantize own.pt plan.json --export packed=own.pt", "--export packed would overwrite MODEL.pt");
  ExpectRefused("quantize own.pt plan.json --out q --export packed=p --export torchscript=plan.json", "plan.json");
  ExpectRefused("quantize own.pt plan.json --statistics st.json --out st.json", "--statistics");
  ExpectRefused("analyze own.pt --out own.pt" + data, "MODEL.pt");
  ExpectRefused("analyze own.pt --out s.json --json own.bin" + data, "--json would overwrite --data");
  ExpectRefused("analyze own.pt --data npy:s.shifts.npy --out s.json --shifts",
                "--out's arrays would overwrite --data");
  ExpectRefused("train own.pt --plan p.json --out own.pt" + data, "MODEL.pt");
  ExpectRefused("train own.pt --plan p.json --out p.pt" + data, "--plan-out, beside --out, would overwrite --plan");
  ExpectRefused("train own.pt --plan p.json --weights-out own.pt --out t.pt" + data, "--weights-out");
  ExpectRefused("train own.pt --layer-config c.yaml --out t.pt --curve-csv c.yaml" + data, "--layer-config");
  ExpectRefused("calibrate own.pt --out own.pt" + data, "MODEL.pt");
  ExpectRefused("profile own.pt --input 3,32,32 --out own.pt", "MODEL.pt");
  ExpectRefused("profile own.pt --input 3,32,32 --energy e.json --out e.json", "--energy");
  work_.Write("t.json", "{}\n");  // of what is no name of a target it is asked first whether it is there
  ExpectRefused("inspect own.pt --input 3,32,32 --target t.json --svg t.json", "--target");
  ExpectRefused("inspect own.pt --input 3,32,32 --json own.pt", "--json would overwrite MODEL.pt");
  ExpectRefused("eval own.pt --plan p.json --json p.json" + data, "--json would overwrite --plan");
  ExpectRefused("spectrum own.pt --csv own.bin" + data, "--csv would overwrite --data");
  ExpectRefused("search s.json --budget weight_size=10% --out s.json", "sensitivity.json");
  ExpectRefused("search s.json --costs c.csv --costs latency=c.npy --out c.npy", "--costs");
  ExpectRefused("search --problem p.json --write-lp p.json", "--problem");
  ExpectRefused("pareto s.json --along bops --svg s.json", "sensitivity.json");
  ExpectRefused("run folder/quantized.pt --test cifar10:own.bin --out-dir folder" + data,
                "--out-dir's quantized.pt would overwrite MODEL.pt");
  ExpectRefused("validate own.pt --data npz:folder/validation.csv --out-dir folder", "--out-dir's validation.csv");
  work_.Write("o.ini", "samples = 8\n");
  ExpectRefused("eval own.pt --config o.ini --json o.ini" + data, "--config");
}

TEST_F(Overwriting, IsSeenThroughEverySpelling) {
  for (const char* out : {"./own.pt", "folder/../own.pt", "link.pt", "hard.pt"})
    ExpectRefused("quantize own.pt plan.json --out " + std::string(out), "MODEL.pt");
  ExpectRefused("quantize own.pt plan.json --out '" + (work_ / "own.pt").string() + "'", "MODEL.pt");
}

TEST_F(Overwriting, AnotherOutputIsRefused) {
  ExpectRefused("spectrum own.pt --data cifar10:own.bin --csv a --svg ./a", "--svg would overwrite --csv");
  ExpectRefused("quantize own.pt plan.json --out q --packed folder/../q", "--packed would overwrite --out");
  ExpectRefused("quantize own.pt plan.json --packed q --export packed=./q", "--export packed would overwrite --packed");
  ExpectRefused("quantize own.pt plan.json --export packed=q --export torchscript=q",
                "would overwrite --export packed");
  ExpectRefused("train own.pt --plan p.json --data cifar10:own.bin --out t.pt --weights-out t.json", "t.json");
  ExpectRefused("search s.json --out a --json a", "--json would overwrite --out");
  ExpectRefused("run own.pt --data cifar10:own.bin --test cifar10:own.bin --out-dir r --json r/plan.json", "--json");
}

TEST_F(Overwriting, TheDataThatAPlanNamesIsRefused) {
  ASSERT_EQ(work_.Run("analyze own.pt --data cifar10:own.bin --samples 8 --measures relative-error --out s.json").code,
            0);
  ASSERT_EQ(work_.Run("search s.json --budget weight_size=12.5% --measure relative-error --out plan.json").code, 0);
  ExpectRefused("quantize own.pt plan.json --out own.bin", "the data that the plan was analyzed on");
}

TEST(Devices, AreNoFilesThatCouldBeLost) {
  const Workspace work;
  const ToolRun run = work.Run(
      "spectrum resnet20.pt --data cifar10:train.bin --samples 2 --probes 1 --steps 2 --layers last --csv "
      "/dev/null --svg /dev/null");
  EXPECT_EQ(run.code, 0) << run.err;
}

TEST(FullOutput, IsAFailureOfEveryCommand) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full";
  const Workspace work;
  for (const std::string& command : std::vector<std::string>{
           "--help", "--version", "inspect --help", "inspect resnet20.pt --input 3,32,32",
           "inspect resnet20.pt --input 3,32,32 --json -", "eval resnet20.pt --data cifar10:test.bin --samples 8",
           "search --problem '" BITPLAN_TEST_DIR "/search/instances/hawq-v3-resnet18-bops-0.5.json' --json -"}) {
    const ToolRun run = RunTool(work.path(), command, R"(sh -c '"$0" "$@" >/dev/full')");
    EXPECT_EQ(run.code, 2) << command;
    EXPECT_THAT(run.err, HasSubstr("cannot be written to standard output")) << command;
    EXPECT_EQ(std::count(run.err.begin(), run.err.end(), '\n'), 1) << run.err;
  }
}

TEST(FullDisk, IsAFailureThatLeavesNothing) {
  const Workspace work;
  const std::size_t before = work.Files();
  const ToolRun run =
      RunTool(work.path(), "inspect resnet20.pt --input 3,32,32 --json report.json", "trap '' XFSZ; ulimit -f 1;");
  EXPECT_EQ(run.code, 2);
  EXPECT_THAT(run.err, AllOf(HasSubstr("report.json cannot be written"), HasSubstr("File too large")));
  EXPECT_EQ(work.Files(), before);
}

TEST(FullErrors, ChangeNothing) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full";
  const Workspace work;
  EXPECT_EQ(RunTool(work.path(), "inspect missing.pt --input 3,32,32 2>/dev/full").code, 2);
}

}  // namespace
}  // namespace bitplan::test
