// Training finds a layer whatever it is called.
#include <gtest/gtest.h>
#include <torch/csrc/jit/api/module.h>

#include "files/temporary_folder.h"
#include "train/training_case.h"

namespace bitplan::train {
namespace {

at::Tensor Weight(const std::vector<std::int64_t>& shape) { return at::arange(36, at::kFloat).sin().view(shape); }

TEST(LayerNames, ThatBeginLikeAConstantsAreTrained) {
  const TemporaryFolder folder;
  torch::jit::Module module("Constants");
  module.register_parameter("constant0", Weight({3, 12}), false);
  module.register_parameter("constant_head", Weight({3, 12}), false);
  module.register_parameter("constant0_bias", at::zeros({3}), false);
  module.define(
      "def forward(self, x):\n  x = x.flatten(1)[:, :12]\n  y = torch.relu(torch.linear(x, self.constant0, "
      "self.constant0_bias))\n  return torch.linear(torch.cat([y, y, y, y], 1), self.constant_head)\n");
  const auto model = folder / "constants.pt";
  module.save(model.string());
  TrainOptions options = SmallOptions();
  options.learning_rate = 0.1;
  options.held_out = 0;  // the last epoch is kept
  const TrainResult result = Train(Unfolded(model), PlanOf(model, 4, 8), SmallData(), options);
  ASSERT_EQ(result.network.layers().size(), 2U);
  EXPECT_EQ(result.network.layers()[0].name, "constant0");
  EXPECT_EQ(result.network.layers()[1].name, "constant_head");
  for (const Layer& layer : result.network.layers())
    EXPECT_FALSE(at::equal(result.network.Weight(layer), Weight({3, 12}))) << layer.name;
}

}  // namespace
}  // namespace bitplan::train
