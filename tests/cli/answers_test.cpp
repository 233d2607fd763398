// Answers say what they are, and what was wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/refusal.h"
#include "cli/tool.h"

namespace bitplan::test {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::size_t LongestLine(const std::string& text) {
  std::istringstream lines(text);
  std::size_t longest = 0;
  for (std::string line; std::getline(lines, line);) longest = std::max(longest, line.size());
  return longest;
}

/// A zip archive with a comment: other bytes, the same contents.
std::string WithComment(std::string archive) {
  archive[archive.size() - 2] = 4;
  return archive + "anew";
}

TEST(FewSamples, AreNamedWithTheLayersWhoseFiguresLeaveTheCorrectionOut) {
  const Workspace work;
  const std::string analyze =
      "analyze resnet20.pt --data cifar10:train.bin --samples 2 --weight-bits 4,32 --activation-bits 32 --out s.json ";
  const ToolRun corrected = work.Run(analyze + "--measures logit-shift");
  ASSERT_EQ(corrected.code, 0) << corrected.err;
  EXPECT_THAT(corrected.err,
              AllOf(HasSubstr("1 layer (linear)"), HasSubstr("fewer than 32 values"), HasSubstr("--samples")));
  for (const char* const option : {"--measures logit-shift --output-correction none", "--measures weight-error"})
    EXPECT_THAT(work.Run(analyze + option).err, Not(HasSubstr("fewer than 32 values"))) << option;
}

/// Layers are compared at a width with figures, and where there is none without.
TEST(AnalyzedWidths, AreShownInATableWhicheverTheyAre) {
  const Workspace work;
  for (const char* widths : {"1,32 --weight-type binary", "2,32", "32"}) {
    const ToolRun run = work.Run(
        std::string("analyze resnet20.pt --data cifar10:train.bin --samples 4 --measures gauss-newton --out s.json ") +
        "--weight-bits " + widths);
    EXPECT_EQ(run.code, 0) << widths << run.err;
    EXPECT_THAT(run.out, AllOf(HasSubstr("layer3.2.conv2"), HasSubstr("quantized alone"))) << widths;
  }
}

TEST(Losses, ThatAreLargeAreWrittenShort) {
  const Workspace work;
  const ToolRun run =
      work.Run("eval resnet20.pt --data cifar10:test.bin --samples 8 --mean 0,0,0 --std 1e-12,1e-12,1e-12");
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_THAT(run.out, testing::ContainsRegex("[0-9]e\\+[0-9]+ "));
  EXPECT_LT(LongestLine(run.out), 100U);
}

TEST(OperatorsInFloat, AreToldByKindAndListedInJson) {
  const Workspace work;
  const ToolRun run = work.Run(
      "eval resnet20.pt --data cifar10:test.bin --samples 2 --weight-bits 4 --integer "
      "--output-correction none");
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_THAT(run.out, testing::ContainsRegex("conv2d +19  conv1, layer1.0.conv1, layer1.0.conv2 and 16 more +"
                                              "its input is in float"));
  EXPECT_THAT(run.out, testing::ContainsRegex("linear +1  linear +its input is in float"));
  EXPECT_THAT(run.out, HasSubstr("--json FILE lists them all"));
  EXPECT_LT(std::count(run.out.begin(), run.out.end(), '\n'), 16);
  const ToolRun listed = work.Run(
      "eval resnet20.pt --data cifar10:test.bin --samples 2 --weight-bits 4 --integer "
      "--output-correction none --json -");
  ASSERT_EQ(listed.code, 0) << listed.err;
  EXPECT_GT(json::parse(listed.out)["integer"]["in_float"].size(), 20U);
}

TEST(FormatsByHand, LeaveInFloatWhatWasNotAskedFor) {
  const Workspace work;
  const std::string eval = "eval resnet20.pt --data cifar10:test.bin --samples 64 --output-correction none ";
  const ToolRun table = work.Run(eval + "--weight-bits 8");
  ASSERT_EQ(table.code, 0) << table.err;
  EXPECT_THAT(table.out, AllOf(HasSubstr("\nw8a32 "), Not(HasSubstr("planned"))));
  const auto planned = [&](const std::string& options) {
    const ToolRun run = work.Run(eval + options + " --json -");
    EXPECT_EQ(run.code, 0) << run.err;
    return json::parse(run.out);
  };
  const json weights = planned("--weight-bits 8"), both = planned("--weight-bits 8 --activation-bits 32");
  EXPECT_EQ(weights["planned_widths"], "w8a32");
  EXPECT_EQ(weights["planned"], both["planned"]);
  const std::string calibrated = " --calibration cifar10:train.bin --calibration-samples 32";
  EXPECT_EQ(planned("--activation-bits 8" + calibrated)["planned_widths"], "w32a8");
  EXPECT_EQ(planned("--weight-type nf4")["planned_widths"], "w4a32 (nf4)");
}

TEST(FormatsByHand, OfALayerFileLeaveTheOtherLayersInFloat) {
  const Workspace work;
  work.Write("layers.yaml", "schema: bitplan.configuration/1\nlayers:\n- match: last\n  weight: {bits: 4}\n");
  const ToolRun run = work.Run(
      "eval resnet20.pt --data cifar10:test.bin --samples 16 --output-correction none --layer-config layers.yaml "
      "--json -");
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_EQ(json::parse(run.out)["planned_widths"], "w4-32a32");
}

TEST(FormatsByHand, OfWhatStaysInFloatAreRefused) {
  const Workspace work;
  const std::string eval = "eval resnet20.pt --data cifar10:test.bin --samples 16 ";
  EXPECT_THAT(Refusal(work, eval + "--activation-bits 8 --weight-scheme asymmetric"),
              HasSubstr("--weight-scheme: without --weight-bits"));
  EXPECT_THAT(Refusal(work, eval + "--weight-bits 8 --activation-type power-of-two"),
              HasSubstr("--activation-type power-of-two: of several widths; give --activation-bits"));
}

TEST(Model, OverwrittenInPartIsRefused) {
  const Workspace work;
  std::string model = work.Read("resnet20.pt");
  model.replace(model.size() / 2, 64, std::string(64, '\x3c'));
  work.Write("damaged.pt", model);
  EXPECT_THAT(Refusal(work, "eval damaged.pt --data cifar10:test.bin --samples 8"),
              AllOf(HasSubstr("damaged.pt: entry "), HasSubstr("is damaged: CRC error")));
}

TEST(Plan, IsForTheSameWeightsSavedAnew) {
  const Workspace work;
  ASSERT_EQ(
      work.Run("analyze resnet20.pt --data cifar10:train.bin --samples 8 --measures relative-error --out s.json").code,
      0);
  ASSERT_EQ(work.Run("search s.json --budget weight_size=12.5% --measure relative-error --out plan.json").code, 0);
  ASSERT_EQ(work.Run("calibrate resnet20.pt --data cifar10:train.bin --samples 8 --out statistics.json").code, 0);
  work.Write("anew.pt", WithComment(work.Read("resnet20.pt")));
  const std::string samples = " --calibration cifar10:train.bin --calibration-samples 8 ";
  const ToolRun eval = work.Run("eval anew.pt --plan plan.json --data cifar10:test.bin --samples 8" + samples);
  EXPECT_EQ(eval.code, 0) << eval.err;
  const ToolRun quantize = work.Run("quantize anew.pt plan.json --statistics statistics.json --out q.pt" + samples);
  EXPECT_EQ(quantize.code, 0) << quantize.err;
  json plan = json::parse(work.Read("plan.json"));
  plan.erase("weights_sha256");  // as earlier versions wrote them
  for (json& layer : plan["layers"]) layer.erase("fingerprint");
  work.Write("old.json", plan.dump());
  const std::string by_old = " --plan old.json --data cifar10:test.bin --samples 8" + samples;
  EXPECT_EQ(work.Run("eval resnet20.pt" + by_old).code, 0);
  EXPECT_THAT(Refusal(work, "eval anew.pt" + by_old),
              HasSubstr("another model's: it was made for a file with SHA-256"));
  plan["weights_sha256"] = std::string(64, 'a');
  work.Write("old.json", plan.dump());
  EXPECT_THAT(Refusal(work, "eval resnet20.pt" + by_old),
              HasSubstr("another model's: it was made for weights with SHA-256 aaaaaaaaaaaa"));
}

TEST(RefusedPlan, OfManyLayersIsToldInTwoShortLines) {
  const Workspace work;
  json problem{{"schema", "bitplan.problem/1"},
               {"name", "many"},
               {"objective", "error"},
               {"groups", json::array()},
               {"budgets", {{"size", 100}}}};
  for (int i = 0; i < 210; ++i) {
    json group{{"name", "transformer.h." + std::to_string(i) + ".mlp.c_fc"}, {"choices", json::array()}};
    group["members"] = json::array({group["name"]});
    for (const int bits : {2, 4})
      group["choices"].push_back(
          {{"name", "w" + std::to_string(bits) + "a32"}, {"objective", 8.0 / bits}, {"costs", {{"size", bits}}}});
    problem["groups"].push_back(group);
  }
  work.Write("p.json", problem.dump());
  const ToolRun run = work.Run("search --problem p.json --json answer.json");
  EXPECT_EQ(run.code, 3);
  EXPECT_THAT(run.err, AllOf(HasSubstr("the cheapest plan needs 420"), HasSubstr("objective 840"),
                             HasSubstr("answer.json lists its 210 choices")));
  EXPECT_LT(LongestLine(run.err), 160U) << run.err;
  EXPECT_EQ(json::parse(work.Read("answer.json"))["infeasibility"]["cheapest"].size(), 210U);
}

TEST(RefusedPlan, OfARunIsInTheJson) {
  const Workspace work;
  const ToolRun run = work.Run(
      "run resnet20.pt --data cifar10:train.bin --test cifar10:test.bin --out-dir result --budget weight_size=5% "
      "--json answer.json");
  EXPECT_EQ(run.code, 3) << run.err;
  EXPECT_EQ(json::parse(work.Read("answer.json"))["infeasibility"]["cheapest"].size(), 20U);
}

TEST(MissingCalibration, SaysWhatIsFoundOnData) {
  const Workspace work;
  const std::string eval = "eval resnet20.pt --data cifar10:test.bin --samples 8 ";
  EXPECT_THAT(Refusal(work, eval + "--weight-bits 8"),
              AllOf(HasSubstr("the output correction channel (the default; --output-correction none leaves it off)"),
                    Not(HasSubstr("the plan")), Not(HasSubstr("ranges"))));
  EXPECT_THAT(
      Refusal(work, eval + "--activation-bits 8 --output-correction none"),
      AllOf(HasSubstr("found: ranges of layer inputs"), Not(HasSubstr("correction")), Not(HasSubstr("the plan"))));
  EXPECT_THAT(Refusal(work, eval + "--weight-bits 4 --rounding gptq"), HasSubstr("the rounding gptq, the output"));
}

class Searches : public testing::Test {
 protected:
  void SetUp() override {
    const ToolRun analyze =
        work_.Run("analyze resnet20.pt --data cifar10:train.bin --samples 8 --measures relative-error --out s.json");
    ASSERT_EQ(analyze.code, 0) << analyze.err;
  }

  const Workspace work_;
  const std::string search_ = "search s.json --measure relative-error ";
};

TEST(SearchedPlan, ListsTheLossesThatItsObjectiveIsTheSumOf) {
  const Workspace work;
  ASSERT_EQ(
      work.Run("analyze resnet20.pt --data cifar10:train.bin --samples 8 --weight-bits 2,4 --measures logit-shift "
               "--out s.json")
          .code,
      0);
  for (const std::string options : {"", "--no-shrink "}) {
    const ToolRun run =
        work.Run("search s.json --budget weight_size=12% --measure logit-shift --resamples 0 " + options);
    ASSERT_EQ(run.code, 0) << run.err;
    std::istringstream lines(run.out);
    std::string line;
    std::getline(lines, line);
    double sum = 0;
    while (std::getline(lines, line) && !line.empty()) sum += std::stod(line.substr(line.rfind("  ")));
    const double objective = std::stod(run.out.substr(run.out.find("objective ") + 10));
    EXPECT_NEAR(sum, objective, 2e-3 * objective) << options << run.out;
  }
}

TEST_F(Searches, RefusePinsThatContradictEachOther) {
  const std::string search = search_ + "--budget weight_size=20% ";
  EXPECT_THAT(Refusal(work_, search + "--keep first=8 --keep first=4"),
              HasSubstr("keep first=w8: contradicted by keep first=w4, which comes later"));
  EXPECT_THAT(Refusal(work_, search + "--keep conv1=8 --keep '*=4'"),
              HasSubstr("keep conv1=w8: contradicted by keep *=w4"));
  EXPECT_EQ(work_.Run(search + "--keep 'conv2d=4' --keep first=8").code, 0);
  EXPECT_EQ(work_.Run(search + "--keep first=4,8 --keep first=8").code, 0);
}

TEST_F(Searches, FindATableOfTheNameThatWasWritten) {
  std::string csv = "layer,weight_bits,activation_bits,latency\n";
  const json layers = json::parse(work_.Read("s.json"))["layers"];
  for (const json& layer : layers)
    for (const int bits : {2, 3, 4, 6, 8, 32})
      csv += layer["name"].get<std::string>() + "," + std::to_string(bits) + ",32," + std::to_string(bits) + "\n";
  work_.Write("device.csv", csv);
  const std::string search = search_ + "--costs device.csv ";
  const ToolRun run = work_.Run(search + "--budget latency=60 --json -");
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_EQ(json::parse(run.out)["budgets"]["latency"], 60);
  EXPECT_THAT(Refusal(work_, search + "--budget latency=60ms"),
              AllOf(HasSubstr("its table is called latency"), HasSubstr("call the table latency_ms")));
  EXPECT_THAT(Refusal(work_, search_ + "--budget latency=60"), HasSubstr("budget latency: there is no such cost"));
}

}  // namespace
}  // namespace bitplan::test
