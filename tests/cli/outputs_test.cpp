// Every command on networks whose output is something else than one vector of classes (outputs/make_outputs.py).
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
using ::testing::HasSubstr;

struct Case {
  std::string name, options, outputs, loss;
  int labels = 0;  ///< that count
};

class Outputs : public ::testing::TestWithParam<Case> {
 protected:
  Outputs() {
    for (const char* ending : {".pt", ".npz"})
      std::filesystem::copy_file(std::filesystem::path(BITPLAN_TEST_DIR) / "cli" / "outputs" / (Name() + ending),
                                 work_ / (Name() + ending));
  }

  const std::string& Name() const { return GetParam().name; }

  std::string Command(const std::string& name) const {
    return name + " " + Name() + ".pt --data npz:" + Name() + ".npz " + GetParam().options + " ";
  }

  json Done(const std::string& arguments) const {
    const ToolRun run = work_.Run(arguments + " --json -");
    EXPECT_EQ(run.code, 0) << run.err;
    return run.code == 0 ? json::parse(run.out) : json();
  }

  Workspace work_;
};

void ExpectEvaluation(const json& evaluation, const Case& of) {
  EXPECT_EQ(evaluation.value("outputs", "classes"), of.outputs);
  EXPECT_EQ(evaluation["loss"].is_null(), of.labels == 0);
  const bool decides = of.outputs != "values" && of.labels > 0;
  EXPECT_EQ(evaluation["accuracy"].is_null(), !decides);
  if (of.labels > 0) {
    EXPECT_EQ(evaluation["total"], of.labels);
  }
}

TEST_P(Outputs, AreAnalyzedAsWhatTheyAreAndNothingIsFree) {
  const json sensitivity = Done(Command("analyze") + "--measures all --weight-bits 2,4,8 --out s.json");
  EXPECT_EQ(sensitivity["loss"], GetParam().loss);
  EXPECT_EQ(sensitivity.value("outputs", "classes"), GetParam().outputs);
  for (const json& layer : sensitivity["layers"])
    for (const char* measure : {"gauss-newton", "logit-shift", "divergence"}) {
      double before = 0;
      for (int choice : {2, 1, 0}) {  // 8, 4, 2 bits
        const double figure = layer["weight_choices"][choice]["figures"][measure]["value"];
        EXPECT_GT(figure, 2 * before) << layer["name"] << " " << measure << " " << choice;
        before = figure;
      }
    }
}

TEST_P(Outputs, AreRunFromAnalysisToMeasuring) {
  const std::string command =
      Command("run") + "--test npz:" + Name() + ".npz --budget weight_size=15% --out-dir result ";
  const json report = Done(command);
  ExpectEvaluation(report["planned"], GetParam());
  EXPECT_GT(report["planned"]["divergence"].get<double>(), 0);
  const json joint = Done(command + "--joint --measure divergence");
  EXPECT_GT(joint["planned"]["divergence"].get<double>(), 0);
}

TEST_P(Outputs, ArePlansChosenByMeasuringFor) {
  const json report = Done(Command("run") + "--test npz:" + Name() +
                           ".npz --budget weight_size=15% --samples 12 --held-out 12 --candidates 2 --refine 2 "
                           "--out-dir result");
  double least = 1e30;
  for (const json& trial : report["choice"]["trials"])
    least = std::min(least, trial["divergence"]["value"].get<double>());
  EXPECT_GT(least, 0);
}

TEST_P(Outputs, AreEvaluated) {
  const json report = Done(Command("eval") + "--weight-bits 3 --calibration npz:" + Name() + ".npz");
  ExpectEvaluation(report["float"], GetParam());
  EXPECT_EQ(report["float"]["divergence"], 0);
  EXPECT_GT(report["planned"]["divergence"].get<double>(), 1e-6);
}

TEST_P(Outputs, AreTrained) {
  const json training = Done(Command("train") + "--weight-bits 2 --activation-bits 32 --epochs 4 --batch-size 8 " +
                             "--learning-rate 0.01 --optimizer adam --out trained.pt --test npz:" + Name() + ".npz");
  const json& curve = training["curve"];
  EXPECT_LT(curve.back()["loss"].get<double>(), curve[1]["loss"].get<double>());
  EXPECT_LT(curve[training["best_epoch"].get<std::size_t>()]["held_out_loss"].get<double>(),
            0.9 * curve[0]["held_out_loss"].get<double>());
  if (GetParam().labels > 0)
    Done(Command("train") + "--weight-bits 2 --activation-bits 32 --epochs 1 --distillation 0.5 --out trained.pt");
}

TEST_P(Outputs, AreValidated) {
  const std::string test = GetParam().labels > 0 ? " --test npz:" + Name() + ".npz" : "";
  const ToolRun run = work_.Run(Command("validate") + "--plans 12 --weight-bits 2,4,8 --measures " +
                                "gauss-newton,divergence,quadratic --out-dir validation" + test);
  EXPECT_EQ(run.code, 0) << run.err;
}

INSTANTIATE_TEST_SUITE_P(Kinds, Outputs,
                         ::testing::Values(Case{"regressor", "", "values", "mean-squared-error", 64},
                                           Case{"detector", "", "binary", "binary-cross-entropy", 64},
                                           Case{"tags", "", "binary", "binary-cross-entropy", 256},
                                           Case{"tokens", "", "classes", "cross-entropy", 103},
                                           Case{"pixels", "--ignore-label 255", "classes", "cross-entropy", 552},
                                           Case{"denoiser", "", "values", "mean-squared-error", 0}),
                         [](const auto& test) { return test.param.name; });

class Remembered : public Outputs {};

/// Labels that an analysis ignored are ignored by all that takes its plan, without being told again.
TEST_P(Remembered, ByPlans) {
  const std::string without = " pixels.pt --data npz:pixels.npz ", ignoring = "--ignore-label 255 ";
  const json sensitivity = Done("analyze" + without + ignoring + "--weight-bits 2,4,8 --out s.json");
  EXPECT_EQ(sensitivity["data"]["ignored_labels"], json({255}));
  Done("search s.json --budget weight_size=15% --out plan.json");
  const std::string eval = "eval" + without + "--plan plan.json ";
  json remembered = Done(eval), told = Done(eval + ignoring);
  ExpectEvaluation(remembered["planned"], GetParam());
  EXPECT_EQ(remembered, told);
  EXPECT_EQ(Done(eval + "--calibration npz:pixels.npz --calibration-samples 8"),
            Done(eval + ignoring + "--calibration npz:pixels.npz --calibration-samples 8"));
  EXPECT_THAT(work_.Run(eval + "--ignore-label 254").err, HasSubstr("label 255 is outside"));  // what is told counts
  const json training = Done("train" + without + "--plan plan.json --epochs 1 --out trained.pt --test npz:pixels.npz");
  ExpectEvaluation(training["evaluation"]["planned"], GetParam());
  ExpectEvaluation(Done("eval trained.float.pt --data npz:pixels.npz --plan trained.json")["planned"], GetParam());
}

/// Plans by hand come to remember what they were trained on.
TEST_P(Remembered, ByPlansOfTraining) {
  Done(Command("train") + "--weight-bits 4 --epochs 1 --out trained.pt");
  ExpectEvaluation(Done("eval trained.float.pt --data npz:pixels.npz --plan trained.json")["planned"], GetParam());
}

INSTANTIATE_TEST_SUITE_P(Kinds, Remembered,
                         ::testing::Values(Case{"pixels", "--ignore-label 255", "classes", "cross-entropy", 552}),
                         [](const auto& test) { return test.param.name; });

class Said : public Outputs {};

/// What is not plain is told, and options ask for something else.
TEST_P(Said, InTheTableAndByEveryCommandsOptions) {
  const ToolRun eval = work_.Run(Command("eval"));
  ASSERT_EQ(eval.code, 0) << eval.err;
  EXPECT_THAT(eval.out, HasSubstr("the loss is " + GetParam().loss));
  if (Name() == "denoiser") {
    EXPECT_EQ(Done(Command("eval") + "--loss divergence")["float"].value("outputs", "classes"), "classes");
    EXPECT_THAT(eval.out, HasSubstr("squared error to float"));
  }
  if (Name() != "tokens") return;
  EXPECT_THAT(eval.out, HasSubstr("axis 2"));
  EXPECT_THAT(work_.Run(Command("eval") + "--class-axis 1").out, HasSubstr("axis 1"));
  const json sensitivity = Done(Command("analyze") + "--class-axis 1 --weight-bits 2 --out s.json");
  EXPECT_EQ(sensitivity.value("class_axis", 1), 1);
  EXPECT_EQ(Done(Command("analyze") + "--weight-bits 2 --out s.json")["class_axis"], 2);
}

INSTANTIATE_TEST_SUITE_P(Kinds, Said,
                         ::testing::Values(Case{"denoiser", "", "values", "mean-squared-error", 0},
                                           Case{"tokens", "", "classes", "cross-entropy", 103}),
                         [](const auto& test) { return test.param.name; });

class Misfits : public Outputs {};

TEST_P(Misfits, AreRefusedByEveryCommandBeforeTheWork) {
  const std::string test = " --test npz:" + Name() + ".npz ";
  for (const std::string& command :
       {Command("analyze") + "--out s.json", Command("eval") + "--weight-bits 4 --calibration npz:" + Name() + ".npz",
        Command("run") + test + "--budget weight_size=15% --out-dir result",
        Command("train") + "--weight-bits 2 --activation-bits 32 --out trained.pt",
        Command("validate") + "--out-dir validation"}) {
    const ToolRun run = work_.Run(command);
    EXPECT_EQ(run.code, 2) << command;
    EXPECT_THAT(run.err, HasSubstr(GetParam().loss)) << command;
  }
}

/// Quantizing calibrates on inputs alone.
TEST_P(Misfits, AreNoMatterWhereLabelsAreNotNeeded) {
  Done("quantize " + Name() + ".pt --weight-bits 4 --calibration npz:" + Name() + ".npz --out q.pt");
}

INSTANTIATE_TEST_SUITE_P(Kinds, Misfits,
                         ::testing::Values(Case{"pixels", "", "", "label 255 is outside the network's 3 classes"},
                                           Case{"regressor", "--loss binary-cross-entropy", "", "needs 0 or 1"},
                                           Case{"tags", "--loss cross-entropy", "", "labels of shape [64, 4]"}),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace bitplan::test
