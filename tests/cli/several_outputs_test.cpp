// The commands on networks that are no classifiers: examples/several_outputs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/tool.h"

namespace bitplan::test {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

class SeveralOutputs : public ::testing::Test {
 protected:
  SeveralOutputs() {
    const auto folder = std::filesystem::path(BITPLAN_TEST_DIR).parent_path() / "examples" / "several_outputs";
    for (const auto& file : std::filesystem::directory_iterator(folder))
      std::filesystem::copy_file(file.path(), work_ / file.path().filename());
  }

  json Done(const std::string& arguments) const {
    const ToolRun run = work_.Run(arguments + " --json -");
    EXPECT_EQ(run.code, 0) << arguments << "\n" << run.err;
    return run.code == 0 ? json::parse(run.out) : json();
  }

  std::string Refused(const std::string& arguments) const {
    const ToolRun run = work_.Run(arguments);
    EXPECT_EQ(run.code, 2) << run.out;
    EXPECT_EQ(std::count(run.err.begin(), run.err.end(), '\n'), 1) << run.err;
    return run.err;
  }

  /// Options for one of the examples.
  static std::string Of(const std::string& name) {
    return " " + name + ".pt --output all --data npz:" + name + ".npz --loss-module " + name + "_loss.pt";
  }

  Workspace work_;
};

TEST_F(SeveralOutputs, OfTheExamplesAreEvaluatedByTheirUsersLossAndMetric) {
  for (const std::string name : {"detector", "segmenter", "regressor", "speech"}) {
    const json found =
        Done("eval" + Of(name) + " --metric-module " + name + "_metric.pt --weight-bits 3 --output-correction none");
    EXPECT_EQ(found["planned"]["loss_module"], name + "_loss");
    EXPECT_EQ(found["planned"]["outputs"], "several");
    EXPECT_GT(found["planned"]["loss"], found["float"]["loss"]) << name;
    const double before = found["float"]["metric"]["value"], after = found["planned"]["metric"]["value"];
    EXPECT_TRUE(name == "regressor" ? before < 0.35 && after > before : before > 0.75 && after < before)
        << name << ": " << before << ", " << after;
    EXPECT_GT(found["planned"]["divergence"], 0);
    EXPECT_LT(found["float"]["divergence"], 1e-9);
  }
}

TEST_F(SeveralOutputs, AreAnalyzedSearchedQuantizedAndMeasuredInOneRun) {
  const json done =
      Done("run" + Of("detector") +
           " --metric-module detector_metric.pt --test npz:detector.npz --budget weight_size=20% --out-dir r");
  EXPECT_LT(done["planned"]["loss"], done["uniform"]["loss"]);
  EXPECT_EQ(json::parse(work_.Read("r/sensitivity.json"))["outputs"], "several");
  const json again = Done("eval" + Of("detector") + " --plan r/plan.json");
  EXPECT_NEAR(again["planned"]["loss"].get<double>(), done["planned"]["loss"].get<double>(), 1e-6);
}

/// Towards the float network, without labels.
TEST_F(SeveralOutputs, AreTrainedValidatedAndLookedAtTogether) {
  const std::string all = " segmenter.pt --output all --data npz:segmenter.npz --samples 32";
  const json trained = Done("train" + all + " --weight-bits 3 --epochs 2 --held-out 0% --out t.pt");
  EXPECT_LT(trained["curve"].back()["loss"], trained["curve"][1]["loss"]);
  EXPECT_EQ(work_.Run("validate" + all + " --plans 10 --measures gauss-newton,trace --out-dir v").code, 0);
  EXPECT_EQ(work_.Run("spectrum" + all + " --steps 10").code, 0);
  const ToolRun analyzed = work_.Run("analyze" + all + " --out s.json");
  EXPECT_THAT(analyzed.out, AllOf(HasSubstr("out [N, 3, 16, 16] by squared error"), HasSubstr("aux")));
}

TEST_F(SeveralOutputs, AreListed) {
  const json seen = Done("inspect detector.pt --input 1,16,16 --output all");
  EXPECT_EQ(seen["outputs"],
            json::parse(R"([{"name": "boxes", "shape": [16, 4]}, {"name": "scores", "shape": [16, 3]}])"));
  EXPECT_THAT(work_.Run("inspect detector.pt --input 1,16,16 --output all").out, HasSubstr("16x4"));
}

TEST_F(SeveralOutputs, ThatCannotBeJudgedAreRefusedInOneLine) {
  const std::string all = "analyze detector.pt --output all --data npz:detector.npz --out s.json ";
  EXPECT_THAT(Refused(all + "--shifts"), HasSubstr("joint"));
  EXPECT_THAT(Refused(all + "--loss cross-entropy"), HasSubstr("loss module"));
  EXPECT_THAT(Refused(all + "--class-axis 2"), HasSubstr("class axis"));
  EXPECT_THAT(Refused(all + "--loss-module segmenter_loss.pt"),
              AllOf(HasSubstr("segmenter_loss.pt"), HasSubstr("outputs [1, 16, 4], [1, 16, 3] and labels [1, 16, 5]")));
  EXPECT_THAT(Refused(all + "--loss-module speech_loss.pt"),
              AllOf(HasSubstr("(sounds, labels)"), HasSubstr("2 outputs (boxes, scores)")));
  EXPECT_THAT(Refused("analyze detector.pt --output box --data npz:detector.npz --out s.json"),
              AllOf(HasSubstr("'box'"), HasSubstr("boxes"), HasSubstr("scores")));
}

}  // namespace
}  // namespace bitplan::test
