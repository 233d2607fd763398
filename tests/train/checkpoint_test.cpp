#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/api/module.h>

#include "bitplan/error.h"
#include "bitplan/files.h"
#include "files/temporary_folder.h"
#include "message_of.h"
#include "train/training_case.h"

namespace bitplan::train {
namespace {

using testing::HasSubstr;

struct Stop {};

/// Ends the run once so many steps are done.
ProgressCallback StopAt(std::int64_t steps) {
  return [steps](const Progress& progress) {
    if (progress.stage == "training" && progress.done == steps) throw Stop();
  };
}

/// 9 steps in 3 epochs.
TrainResult TrainSmall(const TrainOptions& options) {
  return Train(Unfolded(NormedModel()), PlanOf(NormedModel(), 4, 4), SmallData(), options);
}

TrainOptions Options(BatchNormFolding folding = BatchNormFolding::Rescaled) {
  TrainOptions options = SmallOptions();
  options.batch_norm = folding;
  options.distillation = 0.5;
  options.schedule = LearningRateSchedule::Cosine;
  options.warm_up_steps = 2;
  return options;
}

void ExpectSame(const TrainResult& actual, const TrainResult& expected) {
  EXPECT_TRUE(actual.model_file == expected.model_file);
  EXPECT_EQ(ToJson(actual.plan), ToJson(expected.plan));
  EXPECT_EQ(ToCsv(actual.curve), ToCsv(expected.curve));
  EXPECT_EQ(actual.best_epoch, expected.best_epoch);
}

class Resumed : public testing::TestWithParam<std::int64_t> {};

TEST_P(Resumed, IsTheSameToTheLastByte) {
  const TemporaryFolder folder;
  TrainOptions options = Options();
  const TrainResult whole = TrainSmall(options);
  options.checkpoint = folder.path() / "run";
  options.progress = StopAt(GetParam());
  EXPECT_THROW(TrainSmall(options), Stop);
  options.progress = {};
  ExpectSame(TrainSmall(options), whole);
  ExpectSame(TrainSmall(options), whole);  // a run that is finished is there already
}

INSTANTIATE_TEST_SUITE_P(Points, Resumed, testing::Values(0, 2, 3, 5, 8), testing::PrintToStringParamName());

TEST(Checkpoint, HoldsWithAdamAndStochasticWeights) {
  const TemporaryFolder folder;
  TrainOptions options = Options(BatchNormFolding::Smoothed);
  options.optimizer = OptimizerKind::Adam;
  options.method = TrainingMethod::BinaryConnectStochastic;
  Plan plan = PlanOf(NormedModel(), 4, 4);
  for (LayerPlan& layer : plan.layers) {
    layer.weight.type = NumberType::Binary;
    layer.weight.bits = 1;
  }
  const auto run = [&] { return Train(Unfolded(NormedModel()), plan, SmallData(), options); };
  const TrainResult whole = run();
  options.checkpoint = folder.path() / "run";
  for (const std::int64_t stop : {1, 4, 7}) {
    options.progress = StopAt(stop);
    EXPECT_THROW(run(), Stop);
  }
  options.progress = {};
  ExpectSame(run(), whole);
}

std::string MessageOf(const TrainOptions& options) {
  try {
    TrainSmall(options);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Checkpoint, OfAnotherRunIsRefused) {
  const TemporaryFolder folder;
  TrainOptions options = Options();
  options.checkpoint = folder.path() / "run";
  options.epochs = 1;
  TrainSmall(options);
  TrainOptions other = options;
  other.learning_rate = 0.5;
  EXPECT_THAT(MessageOf(other), HasSubstr("another learning rate: 0.02 there, 0.5 here"));
  other = options;
  other.seed = 9;
  EXPECT_THAT(MessageOf(other), HasSubstr("another seed: 0 there, 9 here"));
  EXPECT_EQ(MessageOf(options), "no error");
}

TEST(Checkpoint, OverwrittenInPartIsRefused) {
  const TemporaryFolder folder;
  TrainOptions options = Options();
  options.checkpoint = folder.path() / "run";
  options.progress = StopAt(5);
  EXPECT_THROW(TrainSmall(options), Stop);
  const std::string whole = Contents(options.checkpoint);
  options.progress = {};
  const auto expect_refused = [&](const std::string& bytes, std::size_t at) {
    WriteFile(options.checkpoint, bytes);
    EXPECT_THAT(MessageOf(options), testing::AllOf(HasSubstr(options.checkpoint.string() + ": "),
                                                   HasSubstr("remove it"), testing::Not(HasSubstr("\n"))))
        << at;
  };
  for (std::size_t at = 0; at < whole.size(); at += whole.size() / 12 + 1) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    expect_refused(changed, at);
    expect_refused(whole.substr(0, at), at);
  }
  std::string changed = whole;
  changed[whole.size() / 2] = static_cast<char>(changed[whole.size() / 2] ^ 1);
  WriteFile(options.checkpoint, changed);
  EXPECT_THAT(MessageOf(options), HasSubstr("damaged checkpoint, remove it to start anew"));
}

/// Two outputs of the same layers.
std::filesystem::path TwoOutputs(const TemporaryFolder& folder) {
  at::manual_seed(1);
  torch::jit::Module module("TwoOutputs");
  module.register_parameter("body", at::randn({4, 4}).requires_grad_(), false);
  module.define(R"(
    def forward(self, x):
        features = torch.linear(x, self.body)
        return features, torch.relu(features)
  )");
  module.save((folder.path() / "model.pt").string());
  return folder.path() / "model.pt";
}

TEST(Checkpoint, OfAnotherOutputOfTheSameModelIsRefused) {
  const TemporaryFolder folder;
  const std::filesystem::path model = TwoOutputs(folder);
  const Dataset data = Dataset::FromTensors({at::randn({16, 4})}, {});
  NetworkOptions first, second;
  first.output = "0";
  second.output = "1";
  Plan plan = PlanWithoutSearch("configuration", "configuration");
  const Network loaded = Network::Load(model, first);
  for (const Layer& layer : loaded.layers())
    plan.layers.push_back({layer.name, DefaultWeightFormat().WithBits(4), DefaultActivationFormat().WithBits(8)});
  TrainOptions options;
  options.batch_size = 4;
  options.epochs = 1;
  options.checkpoint = folder.path() / "run";
  const auto message = [&](const NetworkOptions& network, const TrainOptions& run) {
    return bitplan::MessageOf([&] { Train(Unfolded(model, network), plan, data, run); });
  };
  ASSERT_EQ(message(first, options), "no error");
  EXPECT_THAT(message(second, options), HasSubstr("another output of options of network: 0 there, 1 here"));
  EXPECT_EQ(message(first, options), "no error");
}

TEST(Checkpoint, ThatIsNoneIsRefused) {
  const TemporaryFolder folder;
  TrainOptions options = Options();
  options.checkpoint = folder.path() / "run";
  WriteFile(options.checkpoint, "not a checkpoint");
  EXPECT_THAT(MessageOf(options), HasSubstr("no checkpoint of a training run"));
}

}  // namespace
}  // namespace bitplan::train
