// Plans that look at no calibration data need none.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "quantize/networks.h"

namespace bitplan::quantize {
namespace {

using ::testing::HasSubstr;

Plan Without(Plan plan) {
  plan.corrections.output = OutputCorrection::None;
  return plan;
}

TEST(NeedsCalibration, WhereSomethingIsFoundOnData) {
  const Network network = LoadModel("Links");
  const Plan weights = Without(UniformPlan(network, 4, 32)), both = Without(UniformPlan(network, 4, 8)),
             half = Without(UniformPlan(network, 4, 16));
  EXPECT_FALSE(NeedsCalibration(weights));
  EXPECT_FALSE(NeedsCalibration(half));
  EXPECT_TRUE(NeedsCalibration(both));
  QuantizeOptions known;
  known.statistics = ActivationStatistics::Collect(network, Samples({8, 3, 16, 16}), 8);
  EXPECT_FALSE(NeedsCalibration(both, known));
  Plan dynamic = both;
  for (LayerPlan& layer : dynamic.layers) layer.activation.calibrator = Calibrator::Dynamic;
  EXPECT_FALSE(NeedsCalibration(dynamic));
  Plan learned = both;
  for (LayerPlan& layer : learned.layers) layer.learned_input = ActivationRange{0.1, 128};
  EXPECT_FALSE(NeedsCalibration(learned));
  const auto needs = [&](Plan plan, const std::function<void(Corrections&)>& change) {
    change(plan.corrections);
    return NeedsCalibration(plan);
  };
  for (const Plan& plan : {weights, Without(UniformPlan(network, 32, 32))}) {
    const bool quantized = plan.layers[0].weight.bits < 32;
    EXPECT_EQ(needs(plan, [](Corrections& c) { c.output = OutputCorrection::Channel; }), quantized);
    EXPECT_EQ(needs(plan, [](Corrections& c) { c.output = OutputCorrection::Bias; }), quantized);
    EXPECT_EQ(needs(plan, [](Corrections& c) { c.rounding = Rounding::Gptq; }), quantized);
    EXPECT_EQ(needs(plan, [](Corrections& c) { c.rescaling = Rescaling::SmoothQuant; }), quantized);
    EXPECT_FALSE(needs(plan, [](Corrections& c) { c.rescaling = Rescaling::Equalization; }));
    EXPECT_EQ(needs(plan, [](Corrections& c) { c.outlier_threshold = 6; }), quantized);
    EXPECT_FALSE(needs(plan, [](Corrections& c) { c.output = OutputCorrection::BiasFromBatchNorm; }));
  }
}

TEST(PlanWithoutData, GivesTheNetworkThatItGivesWithData) {
  const Dataset data = Samples({8, 3, 16, 16});
  const Network network = LoadModel("Links");
  Plan dynamic = Without(UniformPlan(network, 4, 8));
  for (LayerPlan& layer : dynamic.layers) layer.activation.calibrator = Calibrator::Dynamic;
  Plan from_norms = UniformPlan(network, 3, 32);
  from_norms.corrections.output = OutputCorrection::BiasFromBatchNorm;
  Plan equalized = Without(UniformPlan(network, 3, 32));
  equalized.corrections.rescaling = Rescaling::Equalization;
  for (const Plan& plan : {equalized, Without(UniformPlan(network, 3, 32)), Without(UniformPlan(network, 3, 16)),
                           Without(UniformPlan(network, 32, 32)), dynamic, from_norms}) {
    const std::vector<at::Tensor> x = AllInputs(data);
    EXPECT_TRUE(at::equal(QuantizedNetwork::Create(network, plan).Forward(x),
                          QuantizedNetwork::Create(network, plan, data).Forward(x)));
  }
}

TEST(PlanWithoutData, ThatNeedsDataIsRefused) {
  const Network network = LoadModel("Links");
  EXPECT_THAT(MessageOf([&] { QuantizedNetwork::Create(network, UniformPlan(network, 4, 32)); }),
              HasSubstr("calibration data"));
}

TEST(CorrectedNetwork, IsTheOneThatWasFittedOnThoseSamples) {
  const Network network = LoadModel("Links");
  const Dataset data = Samples({16, 3, 16, 16});
  const std::vector<at::Tensor> x = AllInputs(data);
  const auto made = [&](OutputCorrection output, const Dataset& on) {
    Plan plan = UniformPlan(network, 3, 32);
    plan.corrections.output = output;
    return QuantizedNetwork::Create(network, plan, on);
  };
  const QuantizedNetwork whole = made(OutputCorrection::Channel, data);
  for (const OutputCorrection output : {OutputCorrection::None, OutputCorrection::Channel, OutputCorrection::Bias}) {
    const QuantizedNetwork again = whole.Corrected(output, data.First(5));
    EXPECT_TRUE(at::equal(again.Forward(x), made(output, data.First(5)).Forward(x)));
    EXPECT_EQ(again.plan().corrections.output, output);
  }
}

}  // namespace
}  // namespace bitplan::quantize
