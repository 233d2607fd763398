#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bitplan/error.h"
#include "bitplan/files.h"
#include "data/decode/zip.h"
#include "files/temporary_folder.h"
#include "train/training_case.h"

namespace bitplan {
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
  return Train(NormedModel(), {}, PlanOf(NormedModel(), 4, 4), SmallData(), options);
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
  const auto run = [&] { return Train(NormedModel(), {}, plan, SmallData(), options); };
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
  EXPECT_THAT(MessageOf(other), HasSubstr("another optimizer: sgd 0.02"));
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
  std::string bytes = Contents(options.checkpoint), largest;
  {
    const decode::ZipArchive archive(options.checkpoint);
    for (std::size_t i = 0; i < archive.names().size(); ++i)
      if (const auto entry = archive.Read(i); entry.size() > largest.size()) largest.assign(entry.begin(), entry.end());
  }
  const std::size_t at = bytes.find(largest) + largest.size() / 2;
  bytes[at] = static_cast<char>(bytes[at] ^ 1);
  WriteFile(options.checkpoint, bytes);
  options.progress = {};
  EXPECT_THAT(MessageOf(options), testing::AllOf(HasSubstr("damaged checkpoint, remove it to start anew"), HasSubstr("CRC")));
}

TEST(Checkpoint, ThatIsNoneIsRefused) {
  const TemporaryFolder folder;
  TrainOptions options = Options();
  options.checkpoint = folder.path() / "run";
  WriteFile(options.checkpoint, "not a checkpoint");
  EXPECT_THAT(MessageOf(options), HasSubstr("no checkpoint of a training run"));
}

}  // namespace
}  // namespace bitplan
