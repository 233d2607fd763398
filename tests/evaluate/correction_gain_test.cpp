#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "bitplan/evaluate.h"
#include "quantize/networks.h"

namespace bitplan::evaluate {
namespace {

/// KL(float ‖ quantized) of each sample, by its definition in double precision.
at::Tensor Divergences(const Network& network, const QuantizedNetwork& quantized, const at::Tensor& x) {
  const at::Tensor p = network.Forward({x}).to(at::kDouble).log_softmax(1),
                   q = quantized.Forward({x}).to(at::kDouble).log_softmax(1);
  return (p.exp() * (p - q)).sum(1);
}

double Divergence(const Network& network, const QuantizedNetwork& quantized, const at::Tensor& x) {
  return Divergences(network, quantized, x).sum().item<double>();
}

Plan WeightsAt(const Network& network, int bits, OutputCorrection output) {
  Plan plan = UniformPlan(network, bits, 32);
  plan.corrections.output = output;
  return plan;
}

TEST(CorrectionGain, IsOfEachHalfMeasuredOnTheOther) {
  const Network network = LoadModel("Links");
  const auto data = [](const at::Tensor& samples) { return Dataset::FromTensors({samples}, {}); };
  int untold = 0;
  const auto compare = [&](int bits, std::uint64_t seed) {
    const at::Tensor x = AllInputs(Samples({11, 3, 16, 16}, seed))[0];
    const at::Tensor first = x.slice(0, 0, 5), second = x.slice(0, 5);
    const Plan with = WeightsAt(network, bits, OutputCorrection::Channel),
               without = WeightsAt(network, bits, OutputCorrection::None);
    QuantizeOptions few;
    few.batch_size = 4;
    const auto gain = CrossValidateCorrection(QuantizedNetwork::Create(network, with, data(x)), data(x), few);
    const auto made = [&](const Plan& plan, const at::Tensor& on) {
      return QuantizedNetwork::Create(network, plan, data(on));
    };
    const at::Tensor gains =
        Divergences(network, made(without, first), x) -
        at::cat({Divergences(network, made(with, second), first), Divergences(network, made(with, first), second)});
    const double mean = gains.mean().item<double>(), error = gains.std().item<double>() / std::sqrt(11);
    EXPECT_EQ(gain.has_value(), mean > 0 || -mean > error) << bits;  // a loss that may be chance is not told
    if (!gain) {
      ++untold;
      return;
    }
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
  for (std::uint64_t seed = 0; seed < 6; ++seed)
    for (const int bits : {2, 3, 4, 5, 6, 7, 8}) compare(bits, seed);
  EXPECT_GT(untold, 0);
  EXPECT_LT(untold, 42);
}

TEST(CorrectionGain, DoesNotMindLabelsThatDoNotFit) {
  const Network network = LoadModel("Links");
  const at::Tensor x = AllInputs(Samples({8, 3, 16, 16}))[0];
  const auto gain = [&](const at::Tensor& labels) {
    const Dataset data = Dataset::FromTensors({x}, labels);
    const auto quantized = QuantizedNetwork::Create(network, WeightsAt(network, 2, OutputCorrection::Channel), data);
    return CrossValidateCorrection(quantized, data);
  };
  const auto unlabelled = gain({});
  ASSERT_TRUE(unlabelled);
  for (const at::Tensor& labels : {at::full({8}, 255, at::kLong), at::zeros({8}, at::kLong), at::ones({8, 7, 5})}) {
    const auto labelled = gain(labels);
    ASSERT_TRUE(labelled);
    EXPECT_DOUBLE_EQ(labelled->corrected, unlabelled->corrected);
    EXPECT_DOUBLE_EQ(labelled->uncorrected, unlabelled->uncorrected);
  }
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
}  // namespace bitplan::evaluate
