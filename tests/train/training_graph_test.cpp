#include "training_graph.h"

#include <gtest/gtest.h>

#include "train/training_case.h"

namespace bitplan::train {
namespace {

at::Tensor Named(const Network& network, const std::vector<at::Tensor>& values, const std::string& name) {
  for (std::size_t i = 0; i < values.size(); ++i)
    if (network.parameters()[i].name == name) return values[i];
  return {};
}

TEST(TrainingGraph, NormalizesByTheBatchAndUpdatesTheStatisticsItIsGiven) {
  const Network network = Unfolded(NormedModel()), training = TrainingGraph::Of(network, true);
  const std::vector<at::Tensor> inputs = AllInputs(SmallData());
  std::vector<at::Tensor> values;
  for (const at::Tensor& value : network.ParameterValues()) values.push_back(value.clone());
  const at::Tensor before = Named(network, values, "stem_norm.running_mean").clone();
  training.Forward(inputs, values);
  const at::Tensor product = at::conv2d(inputs[0], Named(network, values, "stem.weight"), {}, 1, 1);
  EXPECT_TRUE(Named(network, values, "stem_norm.running_mean")
                  .allclose(0.9 * before + 0.1 * product.mean({0, 2, 3}), 1e-4, 1e-5));
  EXPECT_TRUE(Named(network, network.ParameterValues(), "stem_norm.running_mean").equal(before));
}

TEST(TrainingGraph, LeavesNormsInEvalWhereAsked) {
  const Network network = Unfolded(NormedModel()), training = TrainingGraph::Of(network, false);
  const std::vector<at::Tensor> inputs = AllInputs(SmallData());
  EXPECT_TRUE(training.Forward(inputs).equal(network.Forward(inputs)));
}

TEST(TrainingGraph, BringsDropoutBack) {
  const Network network = Network::Load(TrainDir() / "models" / "dropout.pt"),
                training = TrainingGraph::Of(network, true);
  const at::Tensor ones = torch::ones({1, 1000});
  EXPECT_TRUE(network.Forward({ones}).equal(ones));
  const at::Tensor dropped = training.Forward({ones});
  EXPECT_NEAR(dropped.eq(0).sum().item<double>(), 250, 60);
  EXPECT_NEAR(dropped.max().item<double>(), 1 / 0.75, 1e-6);
}

}  // namespace
}  // namespace bitplan::train
