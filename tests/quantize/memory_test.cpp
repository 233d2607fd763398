// Quantizing within a memory limit: passes that take a part of the samples at a time.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bitplan/error.h"
#include "quantize/networks.h"
#include "quantize/quantized_network.h"
#include "quantize/single_choices.h"

namespace bitplan::quantize {
namespace {

constexpr std::int64_t kMebibyte = 1 << 20;

Network BundledResNet20() {
  return Network::Load(std::filesystem::path(BITPLAN_EXAMPLES_DIR) / "cifar10" / "resnet20.pt");
}

QuantizedNetwork QuantizedWithin(std::int64_t memory_bytes, const Network& network, const Plan& plan,
                                 const Dataset& data) {
  QuantizeOptions options;
  options.memory_bytes = memory_bytes;
  return QuantizedNetwork::Create(network, plan, data, options);
}

double RelativeDistance(const at::Tensor& a, const at::Tensor& b) { return ((a - b).norm() / b.norm()).item<double>(); }

TEST(MemoryLimit, CorrectionsFittedInPartsAreThoseOfOnePass) {
  const Network network = BundledResNet20();
  const Dataset data = Samples({96, 3, 32, 32});
  for (const OutputCorrection correction : {OutputCorrection::Channel, OutputCorrection::Bias}) {
    Plan plan = UniformPlan(network, 3, 32);  // quantized inputs would make much of the least difference
    plan.corrections.output = correction;
    const auto at_once = QuantizedWithin(1024 * kMebibyte, network, plan, data),
               in_parts = QuantizedWithin(48 * kMebibyte, network, plan, data);
    plan.corrections.output = OutputCorrection::None;
    const auto uncorrected = QuantizedWithin(1024 * kMebibyte, network, plan, data);
    const auto outputs = [&](const QuantizedNetwork& of) { return of.Forward(AllInputs(data.First(16))); };
    EXPECT_LT(RelativeDistance(outputs(in_parts), outputs(at_once)), 1e-4);
    EXPECT_GT(RelativeDistance(outputs(uncorrected), outputs(at_once)), 0.05);
    for (std::size_t i = 0; i < network.layers().size(); ++i) {
      EXPECT_TRUE(at::equal(in_parts.weights()[i].q, at_once.weights()[i].q));
      EXPECT_LT(RelativeDistance(in_parts.weights()[i].scale, at_once.weights()[i].scale), 1e-4) << i;
    }
  }
}

TEST(MemoryLimit, RangesDoNotDependOnIt) {
  const Network network = BundledResNet20();
  const Dataset data = Samples({64, 3, 32, 32});
  const auto ample = ActivationStatistics::Collect(network, data, {32, 1024 * kMebibyte}),
             tight = ActivationStatistics::Collect(network, data, {32, 6 * kMebibyte});
  for (const Calibrator calibrator :
       {Calibrator::Max, Calibrator::Mse, Calibrator::AverageMax, Calibrator::MovingAverage})
    for (const Layer& layer : network.layers()) {
      Format format = DefaultActivationFormat().WithBits(4);
      format.calibrator = calibrator;
      const int site = layer.uses.front().input_site;
      EXPECT_NEAR(tight.Range(site, format).scale / ample.Range(site, format).scale, 1, 1e-5) << layer.name;
    }
}

TEST(MemoryLimit, WeightsOfChoicesAreTheSameKeptAndMadeAnew) {
  const Network network = BundledResNet20();
  const Dataset data = Samples({8, 3, 32, 32});
  std::vector<SingleChoice> choices;
  for (const int layer : {17, 18})
    for (const int bits : {2, 4}) choices.push_back({{layer}, false, DefaultWeightFormat().WithBits(bits)});
  const QuantizedWeights weights(network, DefaultWeightFormat(), {2, 4});
  const auto kept = SingleChoices::Fit(network, weights, choices, data, {{8, 1024 * kMebibyte}, true, {}});
  const auto anew = SingleChoices::Fit(network, weights, choices, data, {{8, 11 * kMebibyte / 2}, true, {}});
  EXPECT_GT(kept.bytes(), 0);
  EXPECT_EQ(anew.bytes(), 0);
  for (std::size_t i = 0; i < choices.size(); ++i) {
    const QuantizedState a = kept.State(i), b = anew.State(i);
    for (std::size_t p = 0; p < a.parameters.size(); ++p)
      EXPECT_TRUE(at::allclose(a.parameters[p], b.parameters[p], 1e-4, 1e-6)) << i;
  }
}

TEST(MemoryLimit, TooLittleForASampleIsRefusedWithTheLeastThatWouldDo) {
  const Network network = BundledResNet20();
  try {
    QuantizedWithin(9 * kMebibyte, network, UniformPlan(network, 4, 8), Samples({4, 3, 128, 128}));
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("the memory limit is 9.0 MiB, and one sample takes"));
  }
}

TEST(MemoryLimit, TooLittleForTheScalesOfALayerIsRefusedBeforeAnySample) {
  const Network network = BundledResNet20();
  try {
    QuantizedWithin(100 << 10, network, UniformPlan(network, 4, 8), Samples({4, 3, 32, 32}));
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("the memory limit is 0.1 MiB, and finding the scales of layer '"));
  }
}

}  // namespace
}  // namespace bitplan::quantize
