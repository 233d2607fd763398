#include <gtest/gtest.h>

#include <cmath>

#include "train/training_case.h"
#include "trained_file.h"
#include "trained_network.h"

namespace bitplan::train {
namespace {

class Folding : public testing::TestWithParam<BatchNormFolding> {};

std::filesystem::path Resnet20() { return std::filesystem::path(BITPLAN_EXAMPLES_DIR) / "cifar10" / "resnet20.pt"; }

Dataset TrainingImages(std::int64_t count) {
  return Dataset::Load("cifar10:" BITPLAN_EXAMPLES_DIR "/cifar10/train.bin", {}).First(count);
}

TEST_P(Folding, TrainsAtFourBitsAndIsDeployedAsItEvaluates) {
  TrainOptions options;
  options.batch_norm = GetParam();
  options.epochs = 2;
  options.batch_size = 32;
  options.distillation = 0;
  options.learning_rate =
      GetParam() == BatchNormFolding::Folded ? 0.0005 : 0.005;  // folded weights have steep gradients
  const Dataset data = TrainingImages(192);
  const TrainResult result = Train(Unfolded(Resnet20()), PlanOf(Resnet20(), 4, 4), data, options);
  EXPECT_FALSE(result.diverged.has_value());
  for (const TrainEpoch& row : result.curve) EXPECT_LT(row.held_out_loss, 3) << row.epoch;
  EXPECT_LT(result.curve.back().loss, 1);
}

TEST_P(Folding, DeploysTheVeryNetworkThatIsEvaluated) {
  TrainOptions options;
  options.batch_norm = GetParam();
  TrainedNetwork network(Unfolded(Resnet20()), PlanOf(Resnet20(), 4, 4), options);
  const Dataset data = TrainingImages(64);
  const std::vector<at::Tensor> inputs = data.Get(0, 64).inputs;
  network.Observe(inputs);
  network.Finish();
  const at::NoGradGuard no_grad;
  network.Forward(inputs, true);  // moves the running statistics
  const at::Tensor evaluated = network.Forward(inputs, false);
  const TrainResult result = Deploy(network, data);
  EXPECT_LE((result.quantized.Forward(inputs) - evaluated).abs().max().item<float>(), 1e-4F);
}

INSTANTIATE_TEST_SUITE_P(Foldings, Folding,
                         testing::Values(BatchNormFolding::Folded, BatchNormFolding::Frozen,
                                         BatchNormFolding::TwoConvolutions, BatchNormFolding::Smoothed,
                                         BatchNormFolding::Rescaled));

}  // namespace
}  // namespace bitplan::train
