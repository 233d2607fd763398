// Layers that read the same tensor share one learned range, whatever else they read.
#include <gtest/gtest.h>
#include <torch/csrc/jit/api/module.h>

#include "files/temporary_folder.h"
#include "train/training_case.h"

namespace bitplan::train {
namespace {

/// b reads what a reads, and before that a part of it.
std::filesystem::path SharingModel(const TemporaryFolder& folder) {
  torch::jit::Module module("Sharing");
  module.register_parameter("a", torch::arange(48, at::kFloat).view({4, 12}).sin(), false);
  module.register_parameter("b", torch::arange(48, at::kFloat).view({4, 12}).cos(), false);
  module.define(
      "def forward(self, x):\n  x = x.flatten(1).view(-1, 9, 12)\n"
      "  y = torch.linear(x, self.a)\n"
      "  z = torch.linear(torch.relu(x[:, :1]), self.b)\n"
      "  return (y + z + torch.linear(x, self.b)).mean(1)\n");
  module.save((folder / "sharing.pt").string());
  return folder / "sharing.pt";
}

TEST(TiedInputs, HaveOneLearnedRange) {
  const TemporaryFolder folder;
  const std::filesystem::path model = SharingModel(folder);
  TrainOptions options = SmallOptions();
  options.epochs = 1;
  const TrainResult result = Train(Unfolded(model), PlanOf(model, 4, 8), SmallData(), options);
  ASSERT_EQ(result.plan.layers.size(), 2U);
  ASSERT_TRUE(result.plan.layers[0].learned_input);
  EXPECT_TRUE(result.plan.layers[0].learned_input == result.plan.layers[1].learned_input);
}

}  // namespace
}  // namespace bitplan::train
