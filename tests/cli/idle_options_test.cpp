// Options that would have no effect are refused by name, with what they are of, before any work.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "cli/tool.h"

namespace bitplan::test {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char *kData = " resnet20.pt --data cifar10:train.bin ", *kSearch = "search --problem p.json ",
                     *kRun =
                         "run resnet20.pt --data cifar10:train.bin --test cifar10:test.bin --budget "
                         "weight_size=15% --out-dir result ";

/// A command, the option that has no effect in it, and what it is of.
struct Idle {
  std::string command, option, of;
};

std::vector<Idle> IdleOptions() {
  const std::string data = kData, eval = "eval" + data, planned = eval + "--weight-bits 8 ",
                    train = "train" + data + "--weight-bits 4 --out t.pt ",
                    analyze = "analyze" + data + "--out s.json ";
  return {
      {kSearch, "--draws 9", "--explain"},
      {kSearch, "--episodes 9", "--method agent"},
      {kSearch, "--curve-svg c.svg", "--method agent"},
      {planned, "--accumulator-bits 16", "--integer"},
      {planned, "--overflow wrap", "--integer"},
      {planned, "--multiplier-bits 8", "--integer"},
      {planned, "--dynamic", "--fast"},
      {planned, "--smoothing 0.3", "--rescaling smoothquant or --plan"},
      {planned + "--rescaling awq ", "--smoothing 0.3", "--rescaling smoothquant or --plan"},
      {planned, "--percentile 99", "--weight-calibrator percentile"},
      {planned + "--weight-calibrator percentile ", "--deviations 2", "--weight-calibrator deviations"},
      {eval, "--integer", "--plan or --layer-config or --weight-bits"},
      {eval, "--rounding gptq", "--plan or --layer-config"},
      {eval, "--output-correction none", "--plan or --layer-config"},
      {eval, "--calibration cifar10:train.bin", "--plan or --layer-config"},
      {eval, "--resize 32", "--plan or --data images:"},
      {"eval resnet20.pt --data images:folder ", "--interpolation bicubic", "--resize"},
      {train, "--step-factor 0.3", "--schedule step"},
      {train, "--step-epochs 2,3", "--schedule step"},
      {train + "--optimizer adam ", "--momentum 0.5", "--optimizer sgd"},
      {train + "--distillation 0 ", "--temperature 2", "--distillation other than 0"},
      {train, "--metric-module m.pt", "--test"},
      {analyze + "--measures relative-error ", "--delta linear", "--measures "},
      {analyze + "--measures logit-shift ", "--exact-hessian", "--measures "},
      {analyze + "--measures logit-shift ", "--compute bfloat16", "--measures "},
      {analyze + "--measures logit-shift --loss cross-entropy ", "--temperature 2", "--measures divergence or all"},
      {"spectrum" + data, "--batch-size 8", "--exact-hessian"},
      {"profile resnet20.pt --input 3,32,32 --out c.json --on nvidia-t4 ", "--repeats 5", "--on here"},
      {"inspect resnet20.pt --input 3,32,32 ", "--svg p.svg", "--target"},
      {"validate" + data + "--out-dir v ", "--metric-module m.pt", "--test"},
      {kRun, "--apart 3", "--candidates"},
      {kRun, "--held-out 64", "--candidates or --refine or --reward measured"},
      {kRun, "--reward measured", "--method agent"},
  };
}

TEST(IdleOptions, AreRefusedByNameWithWhatTheyAreOf) {
  const Workspace work;
  const std::size_t files = work.Files();
  for (const auto& [command, option, of] : IdleOptions()) {
    const ToolRun run = work.Run(command + option);
    const std::string name = option.substr(0, option.find(' '));
    EXPECT_EQ(run.code, 2) << command << option << "\n" << run.err;
    EXPECT_THAT(run.err, HasSubstr(name + " is of " + of)) << command << option;
    EXPECT_EQ(std::count(run.err.begin(), run.err.end(), '\n'), 1) << run.err;
  }
  EXPECT_EQ(work.Files(), files);
}

/// What a plan or the data turn out to be decides of some.
TEST(IdleOptions, AreRefusedWhenFilesTellThatTheyAre) {
  const Workspace work;
  const std::string data = kData;
  ASSERT_EQ(work.Run("analyze" + data + "--samples 4 --measures relative-error --weight-bits 4 --out s.json").code, 0);
  ASSERT_EQ(work.Run("search s.json --measure relative-error --budget average_bits=4 --out plan.json").code, 0);
  const ToolRun eval = work.Run("eval" + data + "--plan plan.json --smoothing 0.3");
  EXPECT_EQ(eval.code, 2);
  EXPECT_THAT(eval.err, HasSubstr("--smoothing is of --rescaling smoothquant or --plan"));
  const ToolRun labelled = work.Run("spectrum" + data + "--samples 4 --temperature 2");
  EXPECT_EQ(labelled.code, 2);
  EXPECT_THAT(labelled.err, HasSubstr("--temperature is of --loss divergence"));
}

TEST(IdleOptions, AreToldInTheHelp) {
  const Workspace work;
  EXPECT_THAT(work.Run("search --help").out, HasSubstr("of --explain"));
  EXPECT_THAT(work.Run("analyze --help").out, Not(HasSubstr("layer-config")));  // which analyze does not have
}

TEST(AgentOptions, WarmUpIsOfThePlansThatAreTried) {
  const Workspace work;
  const std::string search = "search --problem '" BITPLAN_TEST_DIR "/samples/by_hand/problem-1.json' --method agent ";
  const ToolRun run = work.Run(search + "--episodes 3 --warm-up 5");
  EXPECT_EQ(run.code, 2);
  EXPECT_THAT(run.err, HasSubstr("--warm-up 5: of the plans that the agent tries, which are --episodes 3"));
  EXPECT_EQ(work.Run(search + "--episodes 2 --warm-up 1").code, 0);
}

}  // namespace
}  // namespace bitplan::test
