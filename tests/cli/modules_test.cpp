// Losses and metrics that are files of one's own (modules/make_modules.py).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/tool.h"

namespace bitplan::test {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

class Modules : public ::testing::Test {
 protected:
  Modules() {
    for (const char* name : {"entropy.pt", "entropy.pt2", "top2.pt", "mean.pt"})
      std::filesystem::copy_file(std::filesystem::path(BITPLAN_TEST_DIR) / "cli" / "modules" / name, work_ / name);
  }

  json Done(const std::string& arguments) const {
    const ToolRun run = work_.Run(arguments + " --json -");
    EXPECT_EQ(run.code, 0) << run.err;
    return run.code == 0 ? json::parse(run.out) : json();
  }

  std::string Refused(const std::string& arguments) const {
    const ToolRun run = work_.Run(arguments);
    EXPECT_EQ(run.code, 2) << run.out;
    EXPECT_EQ(std::count(run.err.begin(), run.err.end(), '\n'), 1) << run.err;
    return run.err;
  }

  Workspace work_;
  const std::string data_ = " --data cifar10:train.bin --samples 16 ";
  const std::string eval_ =
      "eval resnet20.pt --data cifar10:test.bin --samples 200 --weight-bits 4 "
      "--output-correction none ";
};

TEST_F(Modules, AreMeasuredBesideTheRest) {
  const json named = Done(eval_)["planned"];
  for (const std::string file : {"entropy.pt", "entropy.pt2"}) {
    const json own = Done(eval_ + "--loss-module " + file + " --metric-module top2.pt")["planned"];
    EXPECT_NEAR(own["loss"].get<double>(), named["loss"].get<double>(), 1e-6);
    EXPECT_EQ(own["loss_module"], "entropy");
    EXPECT_EQ(own["correct"], named["correct"]);
    EXPECT_EQ(own["metric"]["name"], "top2");
    EXPECT_GT(own["metric"]["value"], own["accuracy"]);
    EXPECT_LE(own["metric"]["value"], 1);
  }
  EXPECT_FALSE(named.contains("metric"));
  const ToolRun shown = work_.Run(eval_ + "--loss-module entropy.pt --metric-module top2.pt");
  EXPECT_THAT(shown.out, AllOf(HasSubstr("entropy"), HasSubstr("top2")));
}

TEST_F(Modules, AreWhatPlansAreMadeBy) {
  const std::string run = "run resnet20.pt --test cifar10:test.bin --budget weight_size=12.5%" + data_;
  const json own = Done(run + "--loss-module entropy.pt2 --metric-module top2.pt --out-dir own");
  Done(run + "--loss cross-entropy --out-dir named");
  EXPECT_TRUE(own["uniform"].contains("metric"));
  EXPECT_EQ(json::parse(work_.Read("own/sensitivity.json"))["loss"], "module");
  const auto predicted = [&](const std::string& folder) {
    return json::parse(work_.Read(folder + "/plan.json"))["predicted_loss"].get<double>();
  };
  EXPECT_NEAR(predicted("own"), predicted("named"), 1e-3 * predicted("named"));
}

TEST_F(Modules, AreTrainedBy) {
  const std::string train = "train resnet20.pt --weight-bits 3 --epochs 1 --held-out 0% --distillation 0" + data_;
  const json own = Done(train + "--loss-module entropy.pt --metric-module top2.pt --test cifar10:test.bin --out o.pt"),
             named = Done(train + "--out n.pt");
  EXPECT_NEAR(own["curve"][1]["loss"].get<double>(), named["curve"][1]["loss"].get<double>(), 1e-5);
  EXPECT_EQ(own["evaluation"]["planned"]["metric"]["name"], "top2");
  EXPECT_THAT(Refused("train resnet20.pt --weight-bits 3 --loss-module entropy.pt --out o.pt" + data_),
              HasSubstr("distillation"));
}

TEST_F(Modules, AreValidatedAndLookedAt) {
  EXPECT_EQ(work_
                .Run("validate resnet20.pt --plans 10 --measures gauss-newton,weight-error --loss-module entropy.pt "
                     "--metric-module top2.pt --test cifar10:test.bin --out-dir v" +
                     data_)
                .code,
            0);
  EXPECT_THAT(work_.Read("v/validation.csv"), AllOf(HasSubstr("test top2"), HasSubstr("test error")));
  EXPECT_EQ(work_.Run("spectrum resnet20.pt --layers linear --loss-module entropy.pt" + data_).code, 0);
}

TEST_F(Modules, ThatCannotJudgeAreRefusedInOneLine) {
  EXPECT_THAT(Refused(eval_ + "--loss-module mean.pt"), AllOf(HasSubstr("mean.pt"), HasSubstr("for each sample")));
  EXPECT_THAT(Refused(eval_ + "--metric-module mean.pt"), AllOf(HasSubstr("mean.pt"), HasSubstr("for each sample")));
  EXPECT_THAT(Refused(eval_ + "--loss-module resnet20.pt"), HasSubstr("resnet20.pt"));
  EXPECT_THAT(Refused(eval_ + "--metric-module none.pt"), HasSubstr("none.pt"));
  EXPECT_THAT(Refused(eval_ + "--loss cross-entropy --loss-module entropy.pt"), HasSubstr("leave out"));
  EXPECT_THAT(Refused(eval_ + "--loss module"), HasSubstr("--loss-module"));
  EXPECT_THAT(Refused("analyze resnet20.pt --loss-module entropy.pt --out entropy.pt" + data_),
              AllOf(HasSubstr("--out"), HasSubstr("--loss-module")));
}

}  // namespace
}  // namespace bitplan::test
