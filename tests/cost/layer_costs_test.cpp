#include <gtest/gtest.h>

#include <limits>

#include "bitplan/cost.h"
#include "cost/example_layers.h"

namespace bitplan::cost {
namespace {

/// The 19 convolutions and the linear layer of ResNet-20 for CIFAR-10: 267,696 + 640 weights, 40,551,040 MACs.
Sensitivity ResNet20() {
  Sensitivity sensitivity;
  const auto add = [&](std::int64_t inputs, std::int64_t outputs, std::int64_t side) {
    const std::int64_t weights = inputs * outputs * 9;
    sensitivity.layers.push_back(
        ExampleLayer("conv" + std::to_string(sensitivity.layers.size()), "conv2d", weights, weights * side * side));
  };
  add(3, 16, 32);
  for (int i = 0; i < 6; ++i) add(16, 16, 32);
  add(16, 32, 16);
  for (int i = 0; i < 5; ++i) add(32, 32, 16);
  add(32, 64, 8);
  for (int i = 0; i < 5; ++i) add(64, 64, 8);
  sensitivity.layers.push_back(ExampleLayer("linear", "linear", 640, 640));
  return sensitivity;
}

TEST(FloatCosts, OfResNet20AreThePublishedTotals) {
  const auto costs = FloatCosts(ResNet20());
  EXPECT_EQ(costs.at("weight_size_bytes"), 4.0 * (267696 + 640));
  EXPECT_EQ(costs.at("bops"), 40551040.0 * 32 * 32);
  EXPECT_NEAR(costs.at("average_bits"), 32, 1e-12);
  EXPECT_EQ(costs.at("macs"), 40551040.0);
  EXPECT_EQ(costs.size(), 4U);
}

TEST(LayerCosts, OfAHandComputedLayer) {
  const auto costs = LayerCosts(ExampleLayer("conv1", "conv2d", 433, 1000), 3, 8, 866);
  EXPECT_EQ(costs.at("weight_size_bytes"), 163);  // 1,299 bits
  EXPECT_EQ(costs.at("macs"), 1000);
  EXPECT_EQ(costs.at("bops"), 24000);
  EXPECT_EQ(costs.at("average_bits"), 1.5);
}

TEST(LayerCosts, OfTheLargestLayerThatFilesHoldAreNotNegative) {
  const auto costs = LayerCosts(ExampleLayer("huge", "linear", std::numeric_limits<std::int64_t>::max(), 1), 8, 8, 1);
  EXPECT_GT(costs.at("weight_size_bytes"), 9e18);
}

TEST(WidestUniform, IsTheWidestWeightThatFitsAndThenTheWidestActivation) {
  const Sensitivity network = ResNet20();
  const auto widest = [&](const std::map<std::string, double>& budgets) {
    const LayerBits bits = WidestUniform(network, budgets, {2, 3, 4, 6, 8}, {4, 8, 32});
    return std::pair(bits.weight_bits, bits.activation_bits);
  };
  EXPECT_EQ(widest({}), std::pair(8, 32));
  EXPECT_EQ(widest({{"average_bits", 4}}), std::pair(4, 32));
  EXPECT_EQ(widest({{"weight_size_bytes", 268336 / 2.0}}), std::pair(4, 32));
  EXPECT_EQ(widest({{"weight_size_bytes", 268336 / 2.0 - 1}}), std::pair(3, 32));
  EXPECT_EQ(widest({{"weight_size_bytes", 268336}, {"bops", 40551040.0 * 8 * 8}}), std::pair(8, 8));
  EXPECT_EQ(widest({{"bops", 40551040.0 * 8 * 8 - 10}}), std::pair(8, 4));
  EXPECT_EQ(widest({{"average_bits", 1.9}}), std::pair(0, 0));
}

TEST(WidestUniform, LeavesInputsInFloatThatCannotBeQuantized) {
  Sensitivity network = ExampleSensitivity();
  network.layers[0].input_count = 0;
  const double others = 2359296.0 * 2 + 640;
  const std::map<std::string, double> budgets = {{"bops", (442368.0 * 32 + others * 8) * 4}};
  const LayerBits bits = WidestUniform(network, budgets, {4}, {8});
  EXPECT_EQ(bits.activation_bits, 8);
  EXPECT_EQ(WidestUniform(network, {{"bops", budgets.at("bops") - 1}}, {4}, {8}).weight_bits, 0);
}

}  // namespace
}  // namespace bitplan::cost
