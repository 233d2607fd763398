#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "network/channel_expectations.h"
#include "network/model_case.h"
#include "quantize/networks.h"

namespace bitplan::quantize {
namespace {

using ::testing::HasSubstr;

Network LoadUnfolded(const std::string& name) {
  NetworkOptions options;
  options.fold_batch_norm = false;
  return Network::Load(std::filesystem::path(BITPLAN_TEST_DIR) / "quantize" / "models" / (name + ".pt"), options);
}

at::Tensor MeanOfChannels(const at::Tensor& y, int dim) { return y.movedim(dim, 0).flatten(1).to(at::kDouble).mean(1); }

TEST(BiasCorrection, RestoresMeansAndLeavesScales) {
  for (const char* name : {"Chain", "WithoutBias"}) {
    const Network network = LoadModel(name, 0);
    const Dataset data = Samples({32, 3, 8, 8});
    Plan plan = UniformPlan(network, 3, 6);
    plan.corrections.output = OutputCorrection::Bias;
    const auto quantized = QuantizedNetwork::Create(network, plan, data);
    EXPECT_TRUE(torch::allclose(MeanOfChannels(quantized.Forward(AllInputs(data)), -3),
                                MeanOfChannels(network.Forward(AllInputs(data)), -3), 1e-4, 1e-5));
    plan.corrections.output = OutputCorrection::None;
    const auto plain = QuantizedNetwork::Create(network, plan, data);
    for (std::size_t i = 0; i < network.layers().size(); ++i)
      EXPECT_TRUE(torch::equal(quantized.weights()[i].value, plain.weights()[i].value));
  }
}

/// What batch norms say of their output is made true: normal numbers with these moments go through what follows.
TEST(ExpectedInput, IsTheMeanOfClippedNormalNumbers) {
  for (const Network& network : {LoadModel("Links"), LoadUnfolded("Links")}) {
    const auto parameter = [&](const std::string& name) {
      const Network unfolded = LoadUnfolded("Links");
      for (const Parameter& found : unfolded.parameters())
        if (found.name == name) return found.value.to(at::kDouble);
      return at::Tensor();
    };
    for (const auto& [layer, norm] : {std::pair("third", "depthwise_norm"), {"last", "third_norm"}}) {
      const auto expected = network::ExpectedInput(network, static_cast<std::size_t>(test::LayerIndex(network, layer)));
      ASSERT_TRUE(expected) << layer;
      const at::Tensor gamma = parameter(std::string(norm) + ".weight"), beta = parameter(std::string(norm) + ".bias");
      const at::Tensor numbers =
          at::randn({1000000, gamma.numel()}, at::make_generator<at::CPUGeneratorImpl>(5), at::kDouble);
      const at::Tensor sampled = (numbers * gamma + beta).relu().mean(0);
      EXPECT_LT(((*expected - sampled) / (gamma.abs() + beta.abs())).abs().max().item<double>(), 0.005) << layer;
    }
    EXPECT_FALSE(network::ExpectedInput(
        network, static_cast<std::size_t>(test::LayerIndex(network, "depthwise"))));  // max pooling
    EXPECT_FALSE(
        network::ExpectedInput(network, static_cast<std::size_t>(test::LayerIndex(network, "first"))));  // the image
  }
}

TEST(BiasFromBatchNorm, TakesOffWhatTheWeightErrorMakesOfTheExpectedInput) {
  const Network network = LoadModel("Links");
  const Dataset data = Samples({8, 3, 16, 16});
  Plan plan = UniformPlan(network, 3, 32);
  plan.corrections.output = OutputCorrection::BiasFromBatchNorm;
  const auto quantized = QuantizedNetwork::Create(network, plan, data);
  const auto last = static_cast<std::size_t>(test::LayerIndex(network, "last"));
  const Layer& layer = network.layers()[last];
  const at::Tensor change = quantized.weights()[last].value - network.Weight(layer);
  const at::Tensor wanted = -change.to(at::kDouble).mv(*network::ExpectedInput(network, last));
  // The output for an input of zeros is the bias: taken from the difference to the network with the same weights,
  // uncorrected.
  plan.corrections.output = OutputCorrection::None;
  plan.layers[static_cast<std::size_t>(test::LayerIndex(network, "third"))].weight = Format().WithBits(32);
  Plan corrected = plan;
  corrected.corrections.output = OutputCorrection::BiasFromBatchNorm;
  const at::Tensor moved = QuantizedNetwork::Create(network, corrected, data).Forward(AllInputs(data)) -
                           QuantizedNetwork::Create(network, plan, data).Forward(AllInputs(data));
  EXPECT_TRUE(torch::allclose(moved.mean(0).to(at::kDouble), wanted, 1e-3, 1e-4)) << moved.mean(0) << wanted;
}

TEST(BatchNormCorrection, MakesTheNormsOutputWhatItWasRelativeToTheFloatNetwork) {
  const Network network = LoadUnfolded("Normalized");
  const Dataset data = Samples({32, 3, 8, 8});
  Format weight = DefaultWeightFormat().WithBits(3);
  weight.granularity = Granularity::Tensor;
  Plan plan = UniformPlan(network, weight, DefaultActivationFormat().WithBits(6));
  const at::Tensor wanted = network.Forward(AllInputs(data));
  plan.corrections.output = OutputCorrection::BatchNorm;
  const auto corrected = QuantizedNetwork::Create(network, plan, data);
  const at::Tensor given = corrected.Forward(AllInputs(data));
  EXPECT_TRUE(torch::allclose(MeanOfChannels(given, -3), MeanOfChannels(wanted, -3), 1e-4, 1e-4));
  const auto deviation = [](const at::Tensor& y) { return y.movedim(1, 0).flatten(1).std(1, false); };
  EXPECT_TRUE(torch::allclose(deviation(given), deviation(wanted), 1e-3, 1e-4));  // though the weight has one scale
  plan.corrections.output = OutputCorrection::Channel;
  const at::Tensor by_channel = QuantizedNetwork::Create(network, plan, data).Forward(AllInputs(data));
  EXPECT_FALSE(torch::allclose(deviation(by_channel), deviation(wanted), 1e-3, 1e-4));
  EXPECT_TRUE(
      torch::equal(corrected.weights()[0].value, QuantizeWeight(network.Weight(network.layers()[0]), weight, 0).value));
}

TEST(BatchNormCorrection, IsRefusedWhereNoBatchNormIsLeft) {
  const Network network = LoadModel("Normalized");
  Plan plan = UniformPlan(network, 3, 32);
  plan.corrections.output = OutputCorrection::BatchNorm;
  EXPECT_THAT(MessageOf([&] { QuantizedNetwork::Create(network, plan, Samples({8, 3, 8, 8})); }),
              HasSubstr("--no-fold-batch-norm"));
}

}  // namespace
}  // namespace bitplan::quantize
