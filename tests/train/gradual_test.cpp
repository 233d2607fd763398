// Incremental quantization and widths lowered in stages, as runs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bitplan/error.h"
#include "files/temporary_folder.h"
#include "train/training_case.h"

namespace bitplan::train {
namespace {

TrainOptions Incremental() {
  TrainOptions options = SmallOptions();
  options.epochs = 4;
  options.learning_rate = 0.002;
  options.batch_norm = BatchNormFolding::Folded;
  options.incremental = {0.5, 1};
  return options;
}

TrainResult TrainTo(const TrainOptions& options, const ProgressCallback& progress = {}) {
  TrainOptions run = options;
  run.progress = progress;
  return Train(Unfolded(NormedModel()), PlanOf(NormedModel(), 4, 4), SmallData(), run);
}

TEST(IncrementalTraining, EndsWithEveryWeightOnItsGrid) {
  const TrainResult result = TrainTo(Incremental());
  EXPECT_GE(result.best_epoch, 2);  // the first phase has no network of the plan's
  for (std::size_t i = 0; i < result.plan.layers.size(); ++i) {
    const at::Tensor weight = result.network.Weight(result.network.layers()[i]);
    EXPECT_LE((weight - result.quantized.weights()[i].value).abs().max().item<float>(), 1e-6F)
        << result.plan.layers[i].name;
  }
}

TEST(IncrementalTraining, NeedsNormsThatAreGone) {
  TrainOptions options = Incremental();
  options.batch_norm = BatchNormFolding::Rescaled;
  EXPECT_THROW(TrainTo(options), Error);
}

TEST(StagedTraining, LowersTheWidthsAndKeepsAnEpochOfTheLastStage) {
  TrainOptions options = SmallOptions();
  options.stages = {8, 6};
  const TrainResult result = TrainTo(options);
  EXPECT_EQ(result.curve.size(), 4);
  EXPECT_GE(result.best_epoch, 2);
  for (const LayerPlan& layer : result.plan.layers) {
    EXPECT_EQ(layer.weight.bits, 4);
    EXPECT_EQ(layer.activation.bits, 4);
  }
}

TEST(StagedTraining, NeedsAnEpochForEachStage) {
  TrainOptions options = SmallOptions();
  options.epochs = 2;
  options.stages = {8, 6};
  EXPECT_THROW(TrainTo(options), Error);
}

TEST(WidenedTraining, BeginsWithTheSameOutputAndTrainsMoreChannels) {
  TrainOptions options = SmallOptions();
  options.widen = 2;
  options.learning_rate = 1e-9;
  options.batch_norm = BatchNormFolding::Frozen;  // others move their statistics
  const Dataset data = SmallData();
  const TrainResult result = Train(Unfolded(NormedModel()), PlanOf(NormedModel(), 32, 32), data, options);
  const Network narrow = Network::Load(NormedModel());
  for (std::size_t i = 0; i < narrow.layers().size(); ++i)
    EXPECT_EQ(result.network.layers()[i].name, narrow.layers()[i].name);
  EXPECT_EQ(result.network.Weight(result.network.layers()[0]).size(0), 8);
  const std::vector<at::Tensor> inputs = AllInputs(data);
  EXPECT_TRUE(result.network.Forward(inputs).allclose(narrow.Forward(inputs), 1e-4, 1e-4));
}

class GradualCheckpoint : public testing::TestWithParam<bool> {};

TEST_P(GradualCheckpoint, GoesOnInEveryPhase) {
  const TemporaryFolder folder;
  TrainOptions options = GetParam() ? Incremental() : SmallOptions();
  if (!GetParam()) options.stages = {8, 6};
  const TrainResult whole = TrainTo(options);
  options.checkpoint = folder.path() / "run";
  struct StopHere {};
  for (const std::int64_t at : {1, 3, 5, 6, 8})
    EXPECT_THROW(TrainTo(options,
                         [at](const Progress& progress) {
                           if (progress.stage == "training" && progress.done == at) throw StopHere();
                         }),
                 StopHere);
  const TrainResult result = TrainTo(options);
  EXPECT_TRUE(result.model_file == whole.model_file);
  EXPECT_EQ(ToJson(result.plan), ToJson(whole.plan));
  EXPECT_EQ(ToCsv(result.curve), ToCsv(whole.curve));
}

INSTANTIATE_TEST_SUITE_P(Schemes, GradualCheckpoint, testing::Bool(),
                         [](const auto& test) { return test.param ? "Incremental" : "Staged"; });

}  // namespace
}  // namespace bitplan::train
