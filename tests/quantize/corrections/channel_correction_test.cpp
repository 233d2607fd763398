#include "quantize/corrections/channel_correction.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "quantize/networks.h"
#include "quantize/weight_grid.h"

namespace bitplan::quantize {
namespace {

struct Case {
  std::string model;
  int outputs = 1;                  // of the model, each a layer's result
  std::vector<std::int64_t> shape;  // of its input
  std::vector<int> channel_dims;    // of each output, from the back
  bool gain_folds = true;
};

std::ostream& operator<<(std::ostream& out, const Case& which) { return out << which.model; }

/// [2, channels] in float64: mean and standard deviation over all axes but one.
at::Tensor Moments(const at::Tensor& y, int channel_dim) {
  const at::Tensor rows = y.movedim(channel_dim, 0).flatten(1).to(torch::kDouble);
  return torch::stack({rows.mean(1), rows.std(1, false)});
}

class Correction : public ::testing::TestWithParam<Case> {};

TEST_P(Correction, RestoresMeanAndDeviationOfEveryLayersChannels) {
  const Dataset data = Samples(GetParam().shape);
  for (const auto& [weight_bits, activation_bits] : {std::pair{4, 32}, {6, 4}, {32, 5}, {4, 16}}) {
    for (int output = 0; output < GetParam().outputs; ++output) {
      SCOPED_TRACE("w" + std::to_string(weight_bits) + "a" + std::to_string(activation_bits) + " output " +
                   std::to_string(output));
      const Network network = LoadModel(GetParam().model, GetParam().outputs > 1 ? output : -1);
      const auto quantized =
          QuantizedNetwork::Create(network, UniformPlan(network, weight_bits, activation_bits), data);
      const int dim = GetParam().channel_dims[static_cast<std::size_t>(output)];
      const at::Tensor wanted = Moments(network.Forward(AllInputs(data)), dim);
      const at::Tensor actual = Moments(quantized.Forward(AllInputs(data)), dim);
      EXPECT_TRUE(torch::allclose(actual[0], wanted[0], 1e-4, 1e-5)) << actual[0] << wanted[0];
      if (GetParam().gain_folds) {
        EXPECT_TRUE(torch::allclose(actual[1], wanted[1], 1e-4, 1e-5)) << actual[1] << wanted[1];
      }
    }
  }
}

TEST_P(Correction, ChangesTheOutputAtAll) {
  const Network network = LoadModel(GetParam().model, GetParam().outputs > 1 ? GetParam().outputs - 1 : -1);
  const Dataset data = Samples(GetParam().shape);
  Plan plan = UniformPlan(network, 3, 32);
  const at::Tensor corrected = QuantizedNetwork::Create(network, plan, data).Forward(AllInputs(data));
  plan.corrections.output = OutputCorrection::None;
  const auto plain = QuantizedNetwork::Create(network, plan, data);
  EXPECT_FALSE(torch::allclose(corrected, plain.Forward(AllInputs(data)), 1e-4, 1e-4));
  for (std::size_t i = 0; i < network.layers().size(); ++i) {
    const Layer& layer = network.layers()[i];
    const QuantizedTensor weight = QuantizeWeight(network.Weight(layer), plan.layers[i].weight, layer.channel_axis);
    EXPECT_TRUE(torch::equal(plain.weights()[i].value, weight.value));
  }
}

INSTANTIATE_TEST_SUITE_P(Models, Correction,
                         ::testing::Values(Case{"Chain", 3, {32, 3, 8, 8}, {-3, -3, -1}},
                                           Case{"WithoutBias", 3, {32, 3, 4, 4}, {-3, -2, -1}},
                                           Case{"SharedBias", 2, {64, 6}, {-1, -1}, false},
                                           Case{"DeadChannel", 1, {64, 6}, {-1}}),
                         [](const auto& test) { return test.param.model; });

TEST(ChannelCorrection, FoldsIntoScalesAndLeavesTheIntegersAlone) {
  const Network network = LoadModel("Chain", 2);
  const Dataset data = Samples({32, 3, 8, 8});
  const auto quantized = QuantizedNetwork::Create(network, UniformPlan(network, 3, 8), data);
  for (std::size_t i = 0; i < network.layers().size(); ++i) {
    const Layer& layer = network.layers()[i];
    const QuantizedTensor plain =
        QuantizeWeight(network.Weight(layer), quantized.plan().layers[i].weight, layer.channel_axis);
    const QuantizedTensor& corrected = quantized.weights()[i];
    EXPECT_TRUE(torch::equal(corrected.q, plain.q));
    const at::Tensor gain = corrected.scale / plain.scale;
    EXPECT_GE(gain.min().item<double>(), 0.5 - 1e-6);
    EXPECT_LE(gain.max().item<double>(), 2 + 1e-6);
    EXPECT_TRUE(torch::equal(corrected.value, ValueOnGrid(corrected.q, corrected)));
  }
}

/// Quantizes nothing, but applies y ← α y + β to one layer's output, as the correction is defined.
class Explicit : public Probe {
 public:
  Explicit(int site, at::Tensor gain, at::Tensor shift)
      : site_(site), gain_(std::move(gain)), shift_(std::move(shift)) {}
  at::Tensor Visit(int site, const at::Tensor& value) override {
    return site == site_ ? gain_ * value + shift_ : value;
  }

 private:
  int site_;
  at::Tensor gain_, shift_;
};

TEST(ChannelCorrection, IsExplicitScalingAndShiftingOfTheLayersOutput) {
  const Network network = LoadModel("DeadChannel");
  const Dataset data = Samples({64, 6});
  const Plan plan = UniformPlan(network, 3, 32);
  const auto quantized = QuantizedNetwork::Create(network, plan, data);
  const Layer& layer = network.layers()[0];
  std::vector<at::Tensor> parameters = network.ParameterValues();
  parameters[static_cast<std::size_t>(layer.weight)] =
      QuantizeWeight(network.Weight(layer), plan.layers[0].weight, 0).value;
  const at::Tensor wanted = Moments(network.Forward(AllInputs(data)), -1);
  const at::Tensor found = Moments(network.Forward(AllInputs(data), parameters), -1);
  at::Tensor gain = (wanted[1] / found[1]).clamp(0.5, 2);
  gain[0] = 1;  // the dead channel
  Explicit probe(layer.uses[0].output_site, gain.to(torch::kFloat), (wanted[0] - gain * found[0]).to(torch::kFloat));
  const at::Tensor expected = network.Forward(AllInputs(data), parameters, &probe);
  EXPECT_TRUE(torch::allclose(quantized.Forward(AllInputs(data)), expected, 1e-5, 1e-6));
}

TEST(ChannelCorrection, KeepsGainOneWhereTheWeightHasOneScale) {
  const Network network = LoadModel("Chain", 2);
  const Dataset data = Samples({32, 3, 8, 8});
  Format weight = DefaultWeightFormat().WithBits(4);
  weight.granularity = Granularity::Tensor;
  const auto quantized =
      QuantizedNetwork::Create(network, UniformPlan(network, weight, DefaultActivationFormat()), data);
  for (std::size_t i = 0; i < network.layers().size(); ++i) {
    const Layer& layer = network.layers()[i];
    const QuantizedTensor plain = QuantizeWeight(network.Weight(layer), weight, layer.channel_axis);
    EXPECT_TRUE(torch::equal(quantized.weights()[i].scale, plain.scale));
  }
  const at::Tensor wanted = Moments(network.Forward(AllInputs(data)), -1);
  EXPECT_TRUE(torch::allclose(Moments(quantized.Forward(AllInputs(data)), -1)[0], wanted[0], 1e-4, 1e-5));
}

TEST(ChannelCorrection, LeavesFloatNetworksAlone) {
  const Network network = LoadModel("Chain", 2);
  const Dataset data = Samples({8, 3, 8, 8});
  for (const int bits : {16, 32}) {
    Plan plan = UniformPlan(network, bits, bits);
    const at::Tensor corrected = QuantizedNetwork::Create(network, plan, data).Forward(AllInputs(data));
    plan.corrections.output = OutputCorrection::None;
    EXPECT_TRUE(torch::equal(corrected, QuantizedNetwork::Create(network, plan, data).Forward(AllInputs(data))));
    if (bits == 32) {
      EXPECT_TRUE(torch::equal(corrected, network.Forward(AllInputs(data))));
    }
  }
}

TEST(ChannelCorrection, SkipsLayersWhoseChannelsAreNotTheWeights) {
  struct Skipped {
    std::string model;
    Dataset data;
  };
  const at::Tensor tokens = torch::arange(60).remainder(16).view({10, 6});
  for (const auto& [model, data] :
       {Skipped{"GroupedTransposed", Samples({8, 4, 5, 5})}, Skipped{"Tokens", Dataset::FromTensors({tokens}, {})}}) {
    const Network network = LoadModel(model);
    const auto quantized = QuantizedNetwork::Create(network, UniformPlan(network, 4, 8), data);
    EXPECT_TRUE(quantized.Forward(AllInputs(data)).isfinite().all().item<bool>());
    const Layer& layer = network.layers()[0];
    const QuantizedTensor plain =
        QuantizeWeight(network.Weight(layer), quantized.plan().layers[0].weight, layer.channel_axis);
    EXPECT_TRUE(torch::equal(quantized.weights()[0].value, plain.value)) << model;
  }
}

TEST(ChannelCorrection, FitsALayerThatIsUsedTwiceByItsFirstUse) {
  const Dataset data = Samples({64, 6});
  const Network first = LoadModel("UsedTwice", 0), second = LoadModel("UsedTwice", 1);
  const Plan plan = UniformPlan(first, 3, 32);
  const auto quantized = QuantizedNetwork::Create(first, plan, data);
  EXPECT_TRUE(torch::allclose(Moments(quantized.Forward(AllInputs(data)), -1)[0],
                              Moments(first.Forward(AllInputs(data)), -1)[0], 1e-4, 1e-5));
  const auto after = QuantizedNetwork::Create(second, plan, data);
  EXPECT_TRUE(torch::equal(after.weights()[0].scale, quantized.weights()[0].scale));
}

TEST(ChannelCorrection, ReadsTheFirstSamplesOnly) {
  const Network network = LoadModel("Chain", 2);
  const Dataset data = Samples({40, 3, 8, 8});
  QuantizeOptions options;
  options.correction_samples = 16;
  const Plan plan = UniformPlan(network, 4, 32);
  const auto quantized = QuantizedNetwork::Create(network, plan, data, options);
  const auto on_first = QuantizedNetwork::Create(network, plan, data.First(16));
  EXPECT_TRUE(torch::equal(quantized.Forward(AllInputs(data)), on_first.Forward(AllInputs(data))));
  const auto on_all = QuantizedNetwork::Create(network, plan, data);
  EXPECT_FALSE(torch::equal(quantized.Forward(AllInputs(data)), on_all.Forward(AllInputs(data))));
}

TEST(FitChannels, LeavesAMeanThatMovedByAFewClippedValuesWhereAScaleCannotFollow) {
  const Network network = LoadModel("Chain", 0);
  constexpr int kOutlier = 3, kFlat = 5;
  at::Tensor wanted = torch::randn({1000, 8}, at::make_generator<at::CPUGeneratorImpl>(4));
  wanted.slice(0, 0, 10).select(1, kOutlier).fill_(200);
  at::Tensor given = 0.45 * wanted - 0.3;  // every channel shrinks alike: no sign of clipped values
  given.select(1, kOutlier).copy_((wanted.select(1, kOutlier) * 0.45).clamp_max(20));
  given.select(1, kFlat).copy_(0.1 * wanted.select(1, kFlat) - 2);  // shrinks most, but all its values are off
  const auto fit = [&](bool with_gain) {
    return FitChannels(network, {0, -1, 8, with_gain}, MomentsOfChannels(wanted, -1), MomentsOfChannels(given, -1));
  };
  at::Tensor beta = wanted.mean(0) - given.mean(0);
  EXPECT_GT(beta[kOutlier].item<float>(), 1.5F);
  beta[kOutlier] = 0;
  EXPECT_TRUE(torch::allclose(fit(false).beta, beta, 1e-4, 1e-5)) << fit(false).beta << beta;
  EXPECT_TRUE(torch::equal(fit(false).alpha, torch::ones({8})));
  EXPECT_TRUE(torch::allclose(fit(true).beta, wanted.mean(0) - fit(true).alpha * given.mean(0), 1e-4, 1e-5));
}

}  // namespace
}  // namespace bitplan::quantize
