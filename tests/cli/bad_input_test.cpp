// Bad input gives one line that says what, where and what to do, the documented exit code, and leaves no file behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/tool.h"

namespace bitplan::test {
namespace {

using testing::HasSubstr;

void ExpectRefused(const Workspace& work, const std::string& arguments, const std::string& expected, int code = 2) {
  const std::size_t before = work.Files();
  const ToolRun run = work.Run(arguments);
  EXPECT_EQ(run.code, code) << run.err;
  EXPECT_THAT(run.err, HasSubstr(expected));
  if (code == 2) {
    EXPECT_EQ(std::count(run.err.begin(), run.err.end(), '\n'), 1) << run.err;
  }
  EXPECT_EQ(run.out, "");
  EXPECT_EQ(work.Files(), before) << "a file was left behind";
}

const std::string kRun = "run resnet20.pt --data cifar10:train.bin --test cifar10:test.bin --out-dir result ";

TEST(BadUsage, NamesWhatIsWrong) {
  const Workspace work;
  ExpectRefused(work, "frobnicate", "no command 'frobnicate'");
  ExpectRefused(work, "inspect resnet20.pt --inptu 3,32,32", "unrecognised option");
  ExpectRefused(work, "inspect resnet20.pt", "--input is missing");
  ExpectRefused(work, "inspect", "MODEL.pt is missing");
  ExpectRefused(work, "inspect resnet20.pt other.pt --input 3,32,32", "too many arguments");
  ExpectRefused(work, "inspect resnet20.pt --input 3,,32", "input shape '3,,32'");
  ExpectRefused(work, "inspect resnet20.pt --input 3,32,32 --config none.ini", "none.ini cannot be read");
  ExpectRefused(work, "inspect resnet20.pt --input 3,32,32 --device nowhere", "--device nowhere: expected cpu");
  ExpectRefused(work, "inspect resnet20.pt --input 3,32,32 --output logits", "no output 'logits'");
}

TEST(BadModel, IsRefused) {
  const Workspace work;
  const std::string model = work.Read("resnet20.pt");
  work.Write("truncated.pt", model.substr(0, model.size() / 2));
  work.Write("noise.pt", std::string(4096, 'x'));
  work.Write("empty.pt", "");
  ExpectRefused(work, "inspect missing.pt --input 3,32,32", "missing.pt: there is no such file");
  for (const char* file : {"truncated.pt", "noise.pt", "empty.pt"})
    ExpectRefused(work, std::string("inspect ") + file + " --input 3,32,32", "not a TorchScript file");
  ExpectRefused(work, "inspect resnet20.pt --input 5,32,32", "[1, 5, 32, 32]");
}

TEST(BadData, IsRefused) {
  const Workspace work;
  const std::string data = work.Read("train.bin");
  work.Write("cut.bin", data.substr(0, 3073 * 4 + 100));
  std::string mislabelled = data.substr(0, 3073 * 4);
  mislabelled[3073 * 2] = 77;
  work.Write("mislabelled.bin", mislabelled);
  ExpectRefused(work, "eval resnet20.pt --data cifar10:none.bin", "none.bin");
  ExpectRefused(work, "eval resnet20.pt --data cifar10:cut.bin", "cut.bin");
  ExpectRefused(work, "eval resnet20.pt --data cifar10:mislabelled.bin", "mislabelled.bin");
  ExpectRefused(work, "eval resnet20.pt --data cifar10:test.bin --samples 5000", "5,000");
  ExpectRefused(work, "eval resnet20.pt --data jpeg:test.bin", "jpeg");
  ExpectRefused(work, "eval resnet20.pt --data cifar10:test.bin --mean 0.5,x", "--mean");
  ExpectRefused(work, "eval resnet20.pt --data cifar10:test.bin --integer", "--plan");
  ExpectRefused(work, "eval resnet20.pt --data cifar10:test.bin --integer --accumulator-bits 3",
                "--accumulator-bits 3: expected a whole number from 8 to 48");
  ExpectRefused(work, "eval resnet20.pt --data cifar10:test.bin --integer --overflow clip", "clip");
}

TEST(BadSpectrum, IsRefused) {
  const Workspace work;
  const std::string spectrum = "spectrum resnet20.pt --data cifar10:train.bin --samples 2 ";
  ExpectRefused(work, spectrum + "--layers nosuch", "--layers nosuch: no layer or operator");
  ExpectRefused(work, spectrum + "--layers linear --steps 641", "steps is 641");
  ExpectRefused(work, spectrum + "--steps 0", "--steps 0: expected a whole number from 1 on");
  ExpectRefused(work, spectrum + "--probes 0", "--probes 0: expected a whole number from 1 on");
  ExpectRefused(work, spectrum + "--svg nofolder/density.svg", "no folder nofolder");
  ExpectRefused(work, "spectrum resnet20.pt", "--data is missing");
}

TEST(BadBudget, IsRefused) {
  const Workspace work;
  ExpectRefused(work, kRun + "--budget weight_size=-3%", "above 0");
  ExpectRefused(work, kRun + "--budget speed=3",
                "budget speed: there is no such cost; there are activation_memory_bytes, average_bits");
  ExpectRefused(work, kRun + "--budget weight_size=10% --keep nosuch=8", "no layer or operator");
  ExpectRefused(work, kRun + "--budget weight_size=10% --keep first=5", "analyzed at weight bits");
  ExpectRefused(work, kRun + "--budget weight_size=10% --weight-bits 2,9", "9");
}

TEST(BudgetBelowTheCheapestPlan, ExitsWithThreeAndSaysHowFar) {
  const Workspace work;
  ExpectRefused(work, kRun + "--budget weight_size=5%", "the cheapest plan needs 67,084", 3);
}

TEST(OutputFolder, ThatCannotBeMadeIsRefusedBeforeTheWork) {
  const Workspace work;
  ExpectRefused(work,
                "run resnet20.pt --data cifar10:train.bin --test cifar10:test.bin --budget weight_size=12.5% --out-dir "
                "train.bin/x",
                "train.bin/x");
  ExpectRefused(work, "analyze resnet20.pt --data cifar10:train.bin --out nowhere/s.json", "nowhere");
}

class PlanFiles : public testing::Test {
 protected:
  void SetUp() override {
    const ToolRun analyze =
        work_.Run("analyze resnet20.pt --data cifar10:train.bin --samples 8 --measures relative-error --out s.json");
    ASSERT_EQ(analyze.code, 0) << analyze.err;
    const ToolRun search =
        work_.Run("search s.json --budget weight_size=12.5% --measure relative-error --out plan.json");
    ASSERT_EQ(search.code, 0) << search.err;
    plan_ = nlohmann::json::parse(work_.Read("plan.json"));
  }

  void ExpectPlanRefused(const nlohmann::json& plan, const std::string& expected) const {
    work_.Write("bad.json", plan.dump());
    ExpectRefused(work_, "eval resnet20.pt --plan bad.json --data cifar10:test.bin --samples 8", expected);
  }

  Workspace work_;
  nlohmann::json plan_;
};

TEST_F(PlanFiles, WithUnknownOrMissingPartsAreRefused) {
  auto plan = plan_;
  plan["layers"][3]["name"] = "layer9";
  ExpectPlanRefused(plan, "layer1.1.conv1");
  plan = plan_;
  plan["layers"][3]["weight"]["bits"] = 9;
  ExpectPlanRefused(plan, "layers[3].weight.bits");
  plan = plan_;
  plan["schema"] = "bitplan.plan/7";
  ExpectPlanRefused(plan, "bitplan.plan/1");
  plan = plan_;
  plan["surprise"] = 1;
  ExpectPlanRefused(plan, "unknown key 'surprise'");
  plan = plan_;
  plan.erase("costs");
  ExpectPlanRefused(plan, "'costs' is missing");
  plan = plan_;
  plan["model_sha256"] = plan["weights_sha256"] = std::string(64, '0');
  plan["layers"][3]["fingerprint"][3] = plan["layers"][3]["fingerprint"][7] = 1e6;  // of other values
  ExpectPlanRefused(plan, "another model's");
  work_.Write("bad.json", "{\"schema\": ");
  ExpectRefused(work_, "eval resnet20.pt --plan bad.json --data cifar10:test.bin", "not JSON");
}

TEST_F(PlanFiles, AskForTheFiguresThatTheMeasureNeeds) {
  ExpectRefused(work_, "search s.json --budget weight_size=12.5% --measure trace", "analyze with --measures trace");
}

TEST(Interrupt, LeavesNothingBehindButWhatCanBeGoneOnFrom) {
  const Workspace work;
  const std::size_t before = work.Files();
  const ToolRun run =
      RunTool(work.path(), "analyze resnet20.pt --data cifar10:train.bin --samples 1017 --measures all --out s.json",
              "timeout --preserve-status --signal=INT 4");
  EXPECT_EQ(run.code, 130) << run.err;
  const bool kept = std::filesystem::exists(work / "s.json.checkpoint");
  EXPECT_EQ(work.Files(), before + (kept ? 1 : 0));
  EXPECT_NE(run.err.find(kept ? "s.json.checkpoint: the same command with --resume" : "nothing was written"),
            std::string::npos)
      << run.err;
}

}  // namespace
}  // namespace bitplan::test
