#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "bitplan/evaluate.h"
#include "quantize/networks.h"

namespace bitplan::quantize {
namespace {

std::filesystem::path Example(const char* file) {
  return std::filesystem::path(BITPLAN_EXAMPLES_DIR) / "cifar10" / file;
}

Dataset Images(const char* file, std::int64_t samples = 0) {
  DataOptions options;
  options.samples = samples;
  return Dataset::Load("cifar10:" + Example(file).string(), options);
}

class ResNet20 : public ::testing::Test {
 protected:
  Evaluation Measure(int weight_bits, int activation_bits, bool correction) const {
    Plan plan = UniformPlan(network, weight_bits, activation_bits);
    plan.corrections.output = correction ? OutputCorrection::Channel : OutputCorrection::None;
    return Evaluate(network, {QuantizedNetwork::Create(network, plan, Images("train.bin", 512))},
                    Images("test.bin"))[1];
  }

  const Network network = Network::Load(Example("resnet20.pt"));
};

TEST_F(ResNet20, FloatNetworkHas932Right) {
  const Evaluation evaluation = Evaluate(network, {}, Images("test.bin")).at(0);
  EXPECT_EQ(evaluation.correct, 932);
  EXPECT_EQ(evaluation.total, 1017);
  EXPECT_EQ(evaluation.agreement, 1);
  EXPECT_EQ(evaluation.divergence, 0);
}

TEST_F(ResNet20, ChannelCorrectionRescuesThreeBits) {
  const Evaluation corrected = Measure(3, 32, true), plain = Measure(3, 32, false);
  RecordProperty("corrected", std::to_string(corrected.accuracy));
  RecordProperty("plain", std::to_string(plain.accuracy));
  EXPECT_GE(corrected.accuracy, 0.87);
  EXPECT_LT(plain.accuracy, 0.75);
  EXPECT_LT(corrected.divergence, plain.divergence);
}

TEST_F(ResNet20, RoundingRecoversHalfOfWhatTheNearestCodeLosesAtThreeBits) {
  const Dataset images = Images("train.bin", 256), test = Images("test.bin");
  Plan plan = UniformPlan(network, 3, 32);
  plan.corrections.output = OutputCorrection::None;
  const auto lost = [&](Rounding rounding) {
    plan.corrections.rounding = rounding;
    return 932 - Evaluate(network, {QuantizedNetwork::Create(network, plan, images)}, test)[1].correct;
  };
  const std::int64_t nearest = lost(Rounding::Nearest);
  EXPECT_GT(nearest, 100);
  EXPECT_LE(lost(Rounding::AdaRound), nearest / 2);
  EXPECT_LE(lost(Rounding::Gptq), nearest / 2);
}

TEST_F(ResNet20, MixedPlanWithAllCorrectionsStaysWithinOnePercentOfFloat) {
  Plan plan = UniformPlan(network, 4, 8);
  for (std::size_t i = 0; i < plan.layers.size(); i += 3) plan.layers[i].weight.bits = 8;
  plan.corrections = {.rescaling = Rescaling::Equalization, .rounding = Rounding::AdaRound};
  const auto quantized = QuantizedNetwork::Create(network, plan, Images("train.bin", 256));
  EXPECT_GE(Evaluate(network, {quantized}, Images("test.bin"))[1].correct, 932 - 10);
}

TEST_F(ResNet20, FourBitsAreCloseToFloat) {
  const Evaluation corrected = Measure(4, 32, true);
  EXPECT_GE(corrected.accuracy, 0.90);
  EXPECT_LT(corrected.divergence, 0.08);
}

TEST_F(ResNet20, EightBitActivationsCostNextToNothing) {
  const Evaluation weights = Measure(8, 32, true), both = Measure(8, 8, true);
  EXPECT_NEAR(both.accuracy, weights.accuracy, 0.01);
  EXPECT_GE(both.agreement, 0.97);
}

}  // namespace
}  // namespace bitplan::quantize
