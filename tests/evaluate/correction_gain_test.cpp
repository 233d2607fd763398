#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bitplan/evaluate.h"
#include "quantize/networks.h"

namespace bitplan {
namespace {

/// Sum over samples of KL(float ‖ quantized), by its definition in double precision.
double Divergence(const Network& network, const QuantizedNetwork& quantized, const at::Tensor& x) {
  const at::Tensor p = network.Forward({x}).to(at::kDouble).log_softmax(1),
                   q = quantized.Forward({x}).to(at::kDouble).log_softmax(1);
  return (p.exp() * (p - q)).sum().item<double>();
}

Plan WeightsAt(const Network& network, int bits, OutputCorrection output) {
  Plan plan = UniformPlan(network, bits, 32);
  plan.corrections.output = output;
  return plan;
}

TEST(CorrectionGain, IsOfEachHalfMeasuredOnTheOther) {
  const Network network = LoadModel("Links");
  const at::Tensor x = AllInputs(Samples({11, 3, 16, 16}))[0];
  const auto data = [](const at::Tensor& samples) { return Dataset::FromTensors({samples}, {}); };
  const at::Tensor first = x.slice(0, 0, 5), second = x.slice(0, 5);
  const auto at_bits = [&](int bits) {
    const Plan with = WeightsAt(network, bits, OutputCorrection::Channel),
               without = WeightsAt(network, bits, OutputCorrection::None);
    QuantizeOptions few;
    few.batch_size = 4;
    const auto gain = CrossValidateCorrection(QuantizedNetwork::Create(network, with, data(x)), data(x), few);
    EXPECT_TRUE(gain);
    const auto made = [&](const Plan& plan, const at::Tensor& on) {
      return QuantizedNetwork::Create(network, plan, data(on));
    };
    EXPECT_EQ(gain->samples, 5);
    EXPECT_NEAR(gain->corrected,
                (Divergence(network, made(with, first), second) + Divergence(network, made(with, second), first)) / 11,
                1e-6);
    EXPECT_NEAR(gain->uncorrected, Divergence(network, made(without, first), x) / 11, 1e-6);
    if (gain->corrected_by_half) {
      EXPECT_NEAR(*gain->corrected_by_half,
                  (Divergence(network, made(with, first.slice(0, 0, 2)), second) +
                   Divergence(network, made(with, second.slice(0, 0, 2)), first)) /
                      11,
                  1e-6);
    }
    EXPECT_EQ(gain->corrected_by_half.has_value(), gain->Gain() <= 0);
  };
  for (const int bits : {2, 4, 8}) at_bits(bits);
}

TEST(CorrectionGain, IsNotMeasuredWhereNothingIsFitted) {
  const Network network = LoadModel("Links");
  const Dataset data = Samples({8, 3, 16, 16});
  const auto gain = [&](const Plan& plan, const Dataset& calibration) {
    return CrossValidateCorrection(QuantizedNetwork::Create(network, plan, calibration), calibration);
  };
  EXPECT_TRUE(gain(WeightsAt(network, 4, OutputCorrection::Bias), data));
  EXPECT_FALSE(gain(WeightsAt(network, 4, OutputCorrection::None), data));
  EXPECT_FALSE(gain(WeightsAt(network, 4, OutputCorrection::BiasFromBatchNorm), data));
  EXPECT_FALSE(gain(WeightsAt(network, 32, OutputCorrection::Channel), data));
  EXPECT_FALSE(gain(WeightsAt(network, 4, OutputCorrection::Channel), data.First(3)));
}

}  // namespace
}  // namespace bitplan
