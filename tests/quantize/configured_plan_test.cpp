#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bitplan/configuration.h"
#include "quantize/networks.h"

namespace bitplan::quantize {
namespace {

using ::testing::HasSubstr;

LayerRule Rule(const std::string& layers, int weight_bits, int activation_bits = 8) {
  return {layers, DefaultWeightFormat().WithBits(weight_bits), DefaultActivationFormat().WithBits(activation_bits)};
}

TEST(ConfiguredPlan, GivesEachLayerTheFirstRuleThatNamesIt) {
  const Network network = LoadModel("Links");
  Configuration configuration;
  configuration.rules = {Rule("third", 2), Rule("first*", 3), Rule("conv2d", 5, 4), Rule("*", 6)};
  const Plan plan = MakeConfiguredPlan(network, configuration);
  ASSERT_EQ(plan.layers.size(), 4U);
  const std::vector<int> bits = {3, 5, 2, 6};  // first, depthwise, third, last
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(plan.layers[i].name, network.layers()[i].name);
    EXPECT_EQ(plan.layers[i].weight.bits, bits[i]);
  }
  EXPECT_EQ(plan.layers[1].activation.bits, 4);
  EXPECT_NO_THROW(QuantizedNetwork::Create(network, plan, Samples({8, 3, 16, 16})));
}

TEST(ConfiguredPlan, KeepsLayersFromBeingClipped) {
  const Network network = LoadModel("Links");
  Configuration configuration;
  LayerRule whole = Rule("last", 4);
  whole.weight.scheme = Scheme::Asymmetric;
  whole.weight.calibrator = whole.activation.calibrator = Calibrator::Max;
  configuration.rules = {whole};
  configuration.corrections.output = OutputCorrection::None;
  const auto quantized =
      QuantizedNetwork::Create(network, MakeConfiguredPlan(network, configuration), Samples({8, 3, 16, 16}));
  const at::Tensor weight = network.Weight(network.layers()[3]);
  EXPECT_LE(
      (quantized.weights()[3].value - weight).abs().div(quantized.weights()[3].scale.unsqueeze(1)).max().item<double>(),
      0.5 + 1e-5);
}

TEST(ConfiguredPlan, LeavesInputsInFloatThatCannotBeQuantized) {
  const Network network = LoadModel("Tokens");
  Configuration eight;
  eight.activation = DefaultActivationFormat();
  const Plan plan = MakeConfiguredPlan(network, eight);
  for (std::size_t i = 0; i < plan.layers.size(); ++i)
    EXPECT_EQ(plan.layers[i].activation.bits, network.layers()[i].HasInputSite() ? 8 : 32);
}

TEST(ConfiguredPlan, LeavesInFloatWhatNoRuleNames) {
  const Network network = LoadModel("Links");
  Configuration configuration;
  configuration.rules = {Rule("third", 4)};
  const Plan plan = MakeConfiguredPlan(network, configuration);
  EXPECT_EQ(plan.layers[0].weight.type, NumberType::Float32);
  EXPECT_EQ(plan.layers[0].activation.type, NumberType::Float32);
  EXPECT_EQ(plan.layers[2].weight.bits, 4);
  EXPECT_EQ(WidthsOf(plan), "w4-32a8-32");
}

TEST(ConfiguredPlan, RefusesRulesThatEarlierOnesHide) {
  const Network network = LoadModel("Links");
  Configuration configuration;
  configuration.rules = {Rule("third", 2), Rule("conv2d", 4), Rule("first", 8)};
  EXPECT_THAT(MessageOf([&] { MakeConfiguredPlan(network, configuration); }),
              ::testing::AllOf(HasSubstr("'first' has no effect"), HasSubstr("'conv2d'")));
  configuration.rules = {Rule("third", 2), Rule("first", 8), Rule("depthwise", 4), Rule("conv2d", 4)};
  EXPECT_THAT(MessageOf([&] { MakeConfiguredPlan(network, configuration); }),
              ::testing::AllOf(HasSubstr("'conv2d' has no effect"), HasSubstr("('first', 'depthwise', 'third')")));
  configuration.rules = {Rule("third", 2), Rule("conv2d", 4), Rule("*", 8)};
  EXPECT_NO_THROW(MakeConfiguredPlan(network, configuration));
}

TEST(ConfiguredPlan, RefusesRulesThatNameNoLayer) {
  Configuration configuration;
  configuration.rules = {Rule("layer9.*", 4)};
  EXPECT_THAT(MessageOf([&] { MakeConfiguredPlan(LoadModel("Links"), configuration); }), HasSubstr("layer9.*"));
}

}  // namespace
}  // namespace bitplan::quantize
