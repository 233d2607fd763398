// The gradient of a whole network in training, for every way to train batch norms, against finite differences. At 16
// bits the grids are so fine that the rounded network, of which the differences are taken, is as good as smooth.
#include <gtest/gtest.h>

#include <cmath>

#include "train/training_case.h"
#include "trained_network.h"

namespace bitplan::train {
namespace {

class FoldingGradient : public testing::TestWithParam<BatchNormFolding> {};

double LossAt(TrainedNetwork& network, const std::vector<at::Tensor>& inputs, const at::Tensor& weights) {
  const at::NoGradGuard no_grad;
  return (network.Forward(inputs, true).to(at::kDouble) * weights).sum().item<double>();
}

TEST_P(FoldingGradient, IsTheSlopeOfTheLoss) {
  TrainOptions options;
  options.batch_norm = GetParam();
  options.method = TrainingMethod::Fixed;
  const std::filesystem::path model = TrainDir() / "models" / "smooth.pt";
  Plan plan = PlanOf(model, 8, 8);
  for (LayerPlan& layer : plan.layers) layer.weight.bits = layer.activation.bits = 16;  // still integers
  TrainedNetwork network(Unfolded(model), plan, options);
  const std::vector<at::Tensor> inputs = AllInputs(SmallData());
  network.Observe(inputs);
  network.Finish();
  for (const TrainedTensor& tensor : network.tensors())  // nothing is at the edge of its grid
    if (tensor.name.ends_with(".scale")) at::Tensor(tensor.value).detach().mul_(2);
  torch::manual_seed(3);
  const at::Tensor weights = torch::randn({16, 3}, torch::kDouble);
  // Running statistics move in every run; those of Smoothed and Rescaled cancel, as far as rounding is smooth.
  (network.Forward(inputs, true).to(at::kDouble) * weights).sum().backward();
  for (const TrainedTensor& tensor : network.tensors()) {
    if (!tensor.learned) continue;
    at::Tensor value = tensor.value;
    const at::Tensor direction = torch::randn_like(value) * value.detach().abs().mean();
    const double step = 1e-2;
    const at::Tensor before = value.detach().clone();
    const auto moved = [&](double by) {
      const at::NoGradGuard no_grad;
      value.copy_(before + direction * by);
      return LossAt(network, inputs, weights);
    };
    const double slope = (moved(step) - moved(-step)) / (2 * step);
    moved(0);
    const double expected = (value.grad() * direction).sum().item<double>();
    EXPECT_NEAR(expected, slope, 0.02 * std::abs(slope) + 0.02) << tensor.name;
  }
}

INSTANTIATE_TEST_SUITE_P(Foldings, FoldingGradient,
                         testing::Values(BatchNormFolding::Folded, BatchNormFolding::Frozen,
                                         BatchNormFolding::TwoConvolutions, BatchNormFolding::Smoothed,
                                         BatchNormFolding::Rescaled));

}  // namespace
}  // namespace bitplan::train
