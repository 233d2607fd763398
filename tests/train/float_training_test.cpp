// Training with everything in float is ordinary training: PyTorch's own, whose numbers make_reference.py made.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "train/training_case.h"

namespace bitplan::train {
namespace {

using nlohmann::json;

struct FloatCase {
  std::string name;
  bool fold;
  BatchNormFolding folding;
};

std::ostream& operator<<(std::ostream& out, const FloatCase& test) {
  return out << test.name << (test.fold ? " as " + std::string(ToString(test.folding)) : " as an operator");
}

const json& Reference() {
  static const json reference = [] {
    std::ifstream file(TrainDir() / "reference.json");
    return json::parse(file);
  }();
  return reference;
}

TrainOptions OptionsOf(const json& test, BatchNormFolding folding, std::int64_t epochs) {
  TrainOptions options;
  options.batch_norm = folding;
  options.epochs = epochs;
  options.batch_size = 16;
  options.held_out = 0;
  options.optimizer = ParseOptimizer(test["optimizer"].get<std::string>());
  options.schedule = ParseLearningRateSchedule(test["schedule"].get<std::string>());
  options.learning_rate = test["learning_rate"];
  options.momentum = test["momentum"];
  options.weight_decay = test["weight_decay"];
  options.step_epochs = test["step_epochs"].get<std::vector<std::int64_t>>();
  options.step_factor = test["step_factor"];
  options.warm_up_steps = test["warm_up"];
  options.clip_norm = test["clip_norm"];
  options.distillation = test["distillation"];
  options.temperature = test["temperature"];
  return options;
}

class TrainInFloat : public testing::TestWithParam<FloatCase> {};

TEST_P(TrainInFloat, IsWhatPyTorchDoes) {
  const json& expected = Reference()[GetParam().name];
  const auto losses = expected["losses"].get<std::vector<double>>(),
             rates = expected["rates"].get<std::vector<double>>();
  const Dataset data = SmallData();
  const TrainOptions options = OptionsOf(expected["case"], GetParam().folding, std::ssize(losses));
  const TrainResult result =
      Train(Unfolded(NormedModel()), PlanOf(NormedModel(), 32, 32, GetParam().fold), data, options);
  ASSERT_EQ(result.curve.size(), losses.size() + 1);
  for (std::size_t i = 0; i < losses.size(); ++i) {
    EXPECT_NEAR(result.curve[i + 1].loss, losses[i], 1e-4) << "epoch " << i + 1;
    EXPECT_NEAR(result.curve[i + 1].learning_rate, rates[i], 1e-9) << "epoch " << i + 1;
  }
  const at::Tensor output = torch::tensor(expected["output"].get<std::vector<float>>()).view({16, 3});
  EXPECT_LT((result.network.Forward(AllInputs(data)) - output).abs().max().item<float>(),
            2e-3 * output.abs().max().item<float>());
}

constexpr auto kFrozen = BatchNormFolding::Frozen, kRescaled = BatchNormFolding::Rescaled;

INSTANTIATE_TEST_SUITE_P(
    Cases, TrainInFloat,
    testing::Values(FloatCase{"batch_norm", false, kFrozen}, FloatCase{"batch_norm", true, kRescaled},
                    FloatCase{"batch_norm", true, BatchNormFolding::TwoConvolutions},
                    FloatCase{"batch_norm", true, BatchNormFolding::Smoothed}, FloatCase{"frozen_norm", true, kFrozen},
                    FloatCase{"folded_norm", true, BatchNormFolding::Folded}, FloatCase{"cosine", true, kRescaled},
                    FloatCase{"steps", true, kRescaled}, FloatCase{"adam", false, kFrozen},
                    FloatCase{"clipped", true, kRescaled}, FloatCase{"distilled", true, kRescaled}));

}  // namespace
}  // namespace bitplan::train
