// Weights that the forward computes from parameters are trained as weights are that the file holds.
#include <gtest/gtest.h>
#include <torch/csrc/jit/api/module.h>

#include "files/temporary_folder.h"
#include "train/training_case.h"

namespace bitplan::train {
namespace {

at::Tensor Weight() { return torch::arange(36, at::kFloat).view({3, 12}).sin(); }

std::filesystem::path Save(torch::jit::Module& module, const std::string& weight, const std::filesystem::path& file) {
  module.register_parameter("head", Weight().cos(), false);
  module.define("def forward(self, x):\n  x = torch.relu(torch.linear(x.flatten(1)[:, :12], " + weight +
                "))\n  return torch.linear(x, self.head[:, :3])\n");
  module.save(file.string());
  return file;
}

std::filesystem::path PlainModel(const TemporaryFolder& folder) {
  torch::jit::Module module("Plain");
  module.register_parameter("weight", Weight(), false);
  return Save(module, "self.weight", folder / "plain.pt");
}

/// Lengths and directions of the rows, as weight norm keeps them.
std::filesystem::path NormedWeightModel(const TemporaryFolder& folder) {
  torch::jit::Module module("Normed");
  module.register_parameter("weight_g", Weight().norm(2, 1, true), false);
  module.register_parameter("weight_v", 3 * Weight(), false);
  return Save(module, "torch._weight_norm(self.weight_v, self.weight_g, 0)", folder / "normed.pt");
}

/// All of a parametrized network's weights are computed.
std::filesystem::path OneComputedLayer(const TemporaryFolder& folder) {
  torch::jit::Module module("One");
  module.register_parameter("half", Weight() / 2, false);
  module.define("def forward(self, x):\n  return torch.linear(x.flatten(1)[:, :12], 2 * self.half)\n");
  module.save((folder / "one.pt").string());
  return folder / "one.pt";
}

std::filesystem::path ComputedFromConstants(const TemporaryFolder& folder) {
  torch::jit::Module module("Constants");
  module.register_buffer("half", Weight() / 2);
  module.define("def forward(self, x):\n  return torch.linear(x.flatten(1)[:, :12], 2 * self.half)\n");
  module.save((folder / "constants.pt").string());
  return folder / "constants.pt";
}

/// `learning_rate`: one at which an epoch is better than the start, which would be kept.
at::Tensor TrainedWeight(const std::filesystem::path& model, double learning_rate = 0.01) {
  TrainOptions options = SmallOptions();
  options.learning_rate = learning_rate;
  const TrainResult result = Train(Unfolded(model), PlanOf(model, 4, 8), SmallData(), options);
  return result.network.Weight(result.network.layers().front());
}

TEST(ComputedWeights, AreTrainedAsWeightsThatTheFileHolds) {
  const TemporaryFolder folder;
  const at::Tensor plain = TrainedWeight(PlainModel(folder)), normed = TrainedWeight(NormedWeightModel(folder));
  EXPECT_GT((plain - Weight()).abs().max().item<double>(), 1e-3);
  EXPECT_TRUE(normed.allclose(plain, 1e-4, 1e-5)) << (normed - plain).abs().max().item<double>();
}

TEST(ComputedWeights, MayBeAllThatThereAre) {
  const TemporaryFolder folder;
  EXPECT_GT((TrainedWeight(OneComputedLayer(folder), 0.05) - Weight()).abs().max().item<double>(), 1e-3);
}

TEST(ComputedWeights, OfBuffersAreNotTrained) {
  const TemporaryFolder folder;
  EXPECT_ANY_THROW(TrainedWeight(ComputedFromConstants(folder)));
}

}  // namespace
}  // namespace bitplan::train
