#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "quantize/networks.h"

namespace bitplan::quantize {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string MessageOfCreate(const Network& network, const Plan& plan, const Dataset& data) {
  return MessageOf([&] { QuantizedNetwork::Create(network, plan, data); });
}

TEST(QuantizedNetwork, IsTheProductOfFakeQuantizedInputAndWeight) {
  const Network network = LoadModel("DeadChannel");
  const Dataset data = Samples({64, 6});
  Plan plan = UniformPlan(network, 4, 4);
  plan.corrections.output = OutputCorrection::None;
  const auto quantized = QuantizedNetwork::Create(network, plan, data);
  const at::Tensor x = AllInputs(data)[0];
  const Layer& layer = network.layers()[0];
  const auto range =
      ActivationStatistics::Collect(network, data, 64).Range(layer.uses[0].input_site, plan.layers[0].activation);
  const at::Tensor rounded =
      ((x / range.scale).round() + range.zero_point).clamp(0, 15).sub(range.zero_point).mul(range.scale);
  const at::Tensor bias = network.parameters()[static_cast<std::size_t>(layer.bias)].value;
  const at::Tensor expected = torch::linear(rounded, quantized.weights()[0].value, bias);
  EXPECT_TRUE(torch::allclose(quantized.Forward({x}), expected, 1e-4, 1e-5));
}

TEST(QuantizedNetwork, GivesTheSameFromItsOwnFloatWeights) {
  for (const auto& [model, shape] : {std::pair{"Chain", std::vector<std::int64_t>{16, 3, 8, 8}},
                                     std::pair{"WithoutBias", std::vector<std::int64_t>{16, 3, 4, 4}}}) {
    const Network network = LoadModel(model, 2);
    const Dataset data = Samples(shape);
    std::vector<at::Tensor> weights;
    for (const Layer& layer : network.layers()) weights.push_back(network.Weight(layer));
    for (const Scheme scheme : {Scheme::Symmetric, Scheme::Asymmetric})
      for (const int bits : {2, 4, 8, 16, 32}) {
        Format format = DefaultWeightFormat().WithBits(bits);
        format.scheme = scheme;
        const auto quantized = QuantizedNetwork::Create(
            network, UniformPlan(network, format, DefaultActivationFormat().WithBits(8)), data);
        EXPECT_TRUE(torch::equal(quantized.Forward(AllInputs(data), weights), quantized.Forward(AllInputs(data))))
            << model << " at " << bits;
      }
  }
}

TEST(Calibration, GivesEveryPlanTheNetworkThatItsOwnPassesWould) {
  const Network network = LoadModel("Chain", 2);
  const Dataset data = Samples({16, 3, 8, 8});
  const auto calibration = Calibration::Collect(network, data, /*activations=*/true);
  for (const auto& [weight_bits, activation_bits] : {std::pair{3, 32}, {32, 4}, {2, 8}})
    for (const bool correction : {false, true}) {
      Plan plan = UniformPlan(network, weight_bits, activation_bits);
      plan.corrections.output = correction ? OutputCorrection::Channel : OutputCorrection::None;
      EXPECT_TRUE(torch::equal(QuantizedNetwork::Create(network, plan, calibration).Forward(AllInputs(data)),
                               QuantizedNetwork::Create(network, plan, data).Forward(AllInputs(data))))
          << plan.layers[0].weight.bits << ' ' << activation_bits;
    }
}

TEST(Calibration, WithoutActivationsRefusesPlansThatQuantizeThem) {
  const Network network = LoadModel("DeadChannel");
  const auto calibration = Calibration::Collect(network, Samples({64, 6}), /*activations=*/false);
  EXPECT_NO_THROW(QuantizedNetwork::Create(network, UniformPlan(network, 4, 32), calibration));
  EXPECT_THAT(MessageOf([&] { QuantizedNetwork::Create(network, UniformPlan(network, 4, 8), calibration); }),
              HasSubstr("without activations"));
}

TEST(QuantizedNetwork, HandsGradientsToFloatWeightsStraightThrough) {
  const Network network = LoadModel("DeadChannel");
  const Dataset data = Samples({64, 6});
  for (const bool correction : {false, true}) {
    Plan plan = UniformPlan(network, 3, 32);
    plan.corrections.output = correction ? OutputCorrection::Channel : OutputCorrection::None;
    const auto quantized = QuantizedNetwork::Create(network, plan, data);
    at::Tensor weight = network.Weight(network.layers()[0]).clone();
    weight[1][2] = 100;  // far beyond its range
    weight.requires_grad_();
    const at::Tensor x = AllInputs(data)[0];
    quantized.Forward({x}, {weight}).sum().backward();
    const QuantizedTensor plain = QuantizeWeight(network.Weight(network.layers()[0]), plan.layers[0].weight, 0);
    const at::Tensor q = (weight.detach() / plain.scale.view({-1, 1})).round();
    const at::Tensor inside = q.ge(-4).logical_and(q.le(3)).to(torch::kFloat);
    EXPECT_EQ(inside[1][2].item<float>(), 0);
    const at::Tensor gain = (quantized.weights()[0].scale / plain.scale).view({-1, 1});
    EXPECT_TRUE(torch::allclose(weight.grad(), inside * gain * x.sum(0, true), 1e-4, 1e-4));
  }
}

TEST(QuantizedNetwork, HandsGradientsToInputsStraightThrough) {
  const Network network = LoadModel("DeadChannel");
  const Dataset data = Samples({64, 6});
  const Plan plan = UniformPlan(network, 8, 4);
  const auto quantized = QuantizedNetwork::Create(network, plan, data);
  const at::Tensor x = torch::tensor({{0.1f, -0.2f, 0.3f, 100.0f, -100.0f, 0.0f}}).requires_grad_();
  const at::Tensor y = quantized.Forward({x});
  EXPECT_TRUE(y.requires_grad());
  y.sum().backward();
  const at::Tensor inside = torch::tensor({1.0f, 1.0f, 1.0f, 0.0f, 0.0f, 1.0f});
  EXPECT_TRUE(torch::allclose(x.grad()[0], inside * quantized.weights()[0].value.sum(0), 1e-5, 1e-5));
  EXPECT_FALSE(quantized.Forward({x.detach()}).requires_grad());
}

TEST(QuantizedNetwork, KeepsItsPlanInTheNetworksOrder) {
  const Network network = LoadModel("Chain", 2);
  const Dataset data = Samples({8, 3, 8, 8});
  Plan plan = UniformPlan(network, 4, 8);
  plan.layers[0].weight.bits = 6;
  std::reverse(plan.layers.begin(), plan.layers.end());
  const auto quantized = QuantizedNetwork::Create(network, plan, data);
  for (std::size_t i = 0; i < network.layers().size(); ++i)
    EXPECT_EQ(quantized.plan().layers[i].name, network.layers()[i].name);
  EXPECT_EQ(quantized.weights()[0].format.bits, 6);
}

TEST(QuantizedNetwork, SaysWhichInputValueAPlanIsNotFor) {
  const auto load = [](const std::string& rate) {
    NetworkOptions options;
    options.input_values = {{"rate", rate}, {"sign", "true"}};
    return Network::Load(std::string(BITPLAN_TEST_DIR) + "/network/batches/values.pt", options);
  };
  Plan plan = UniformPlan(load("16000"), 4, 32);
  plan.input_values = load("16000").input_values();
  plan.weights_sha256 = std::string(64, 'a');  // of the branch that the value leads to
  EXPECT_THAT(MessageOfCreate(load("8000"), plan, Samples({4, 3})),
              AllOf(HasSubstr("made with rate=16000, the network was loaded with rate=8000"), Not(HasSubstr("sign")),
                    Not(HasSubstr("another model"))));
}

TEST(QuantizedNetwork, SaysWhichNamesAPlanIsNotFor) {
  const Network network = LoadModel("Chain", 2);
  Plan plan = UniformPlan(network, 4, 32);
  plan.layers[1].name = "constant1";
  plan.weights_sha256 = std::string(64, 'a');  // of other names
  EXPECT_THAT(MessageOfCreate(network, plan, Samples({8, 3, 8, 8})),
              AllOf(HasSubstr("no layer constant1"), HasSubstr("says nothing of layer second"),
                    HasSubstr("torch.jit.freeze"), Not(HasSubstr("SHA"))));
}

TEST(QuantizedNetwork, RefusesThePlanOfAnotherModel) {
  const Network network = LoadModel("Chain", 2);
  const Dataset data = Samples({8, 3, 8, 8});
  Plan plan = UniformPlan(network, 4, 32);
  plan.model_sha256 = std::string(64, 'a');
  EXPECT_THAT(MessageOfCreate(network, plan, data), AllOf(HasSubstr("another model"), HasSubstr("aaaa")));
  plan = UniformPlan(network, 4, 32);
  plan.layers[1].name = "third";
  EXPECT_THAT(MessageOfCreate(network, plan, data), AllOf(HasSubstr("another model"), HasSubstr("second")));
  plan = UniformPlan(network, 4, 32);
  plan.layers.push_back({"extra", {}, {}});
  EXPECT_THAT(MessageOfCreate(network, plan, data), AllOf(HasSubstr("another model"), HasSubstr("extra")));
  plan = UniformPlan(network, 4, 32);
  plan.layers.push_back(plan.layers[0]);
  EXPECT_THAT(MessageOfCreate(network, plan, data), AllOf(HasSubstr("twice"), HasSubstr("first")));
}

TEST(QuantizedNetwork, RefusesAPlanForBatchNormFoldedOtherwise) {
  const Network network = LoadModel("Normalized");
  Plan plan = UniformPlan(network, 4, 32);
  plan.fold_batch_norm = false;
  EXPECT_THAT(MessageOfCreate(network, plan, Samples({8, 3, 5, 5})), HasSubstr("batch norm"));
}

TEST(QuantizedNetwork, AcceptsAPlanWithoutSha256) {
  const Network network = LoadModel("Normalized");
  Plan plan = UniformPlan(network, 4, 32);
  plan.model_sha256.clear();
  EXPECT_EQ(MessageOfCreate(network, plan, Samples({8, 3, 5, 5})), "no error");
}

TEST(QuantizedNetwork, RefusesFormatsThatALayerCannotHave) {
  const Network network = LoadModel("Chain", 2);
  const Dataset data = Samples({8, 3, 8, 8});
  Plan plan = UniformPlan(network, 4, 8);
  plan.layers[1].weight.bits = 9;
  EXPECT_THAT(MessageOfCreate(network, plan, data), AllOf(HasSubstr("second"), HasSubstr("weight"), HasSubstr("9")));
  plan = UniformPlan(network, 4, 8);
  plan.layers[1].activation.bits = 0;
  EXPECT_THAT(MessageOfCreate(network, plan, data),
              AllOf(HasSubstr("second"), HasSubstr("activation"), HasSubstr("bits: 0")));
  plan = UniformPlan(network, 4, 8);
  plan.layers[1].activation.type = NumberType::Ternary;
  plan.layers[1].activation.bits = 2;
  EXPECT_THAT(MessageOfCreate(network, plan, data), AllOf(HasSubstr("second"), HasSubstr("ternary is for weights")));
  plan = UniformPlan(network, 4, 8);
  plan.layers[2].activation.granularity = Granularity::Channel;
  EXPECT_THAT(MessageOfCreate(network, plan, data), AllOf(HasSubstr("last"), HasSubstr("channel")));
}

TEST(QuantizedNetwork, RefusesActivationBitsWhereTheInputCannotBeQuantized) {
  const Network network = LoadModel("Tokens");
  Plan plan = UniformPlan(network, 8, 32);
  plan.layers[0].activation = DefaultActivationFormat().WithBits(8);
  const Dataset tokens = Dataset::FromTensors({torch::zeros({4, 3}, torch::kLong)}, {});
  EXPECT_THAT(MessageOfCreate(network, plan, tokens), AllOf(HasSubstr(plan.layers[0].name), HasSubstr("8")));
}

TEST(QuantizedNetwork, RefusesTwoFormatsForOneTensor) {
  const Network network = LoadModel("SharedInput");
  const Dataset data = Samples({8, 6});
  Plan plan = UniformPlan(network, 4, 8);
  EXPECT_EQ(MessageOfCreate(network, plan, data), "no error");
  plan.layers[1].activation.bits = 4;
  EXPECT_THAT(MessageOfCreate(network, plan, data), AllOf(HasSubstr("left"), HasSubstr("right")));
  plan.layers[1].activation = plan.layers[1].activation.WithBits(32);
  EXPECT_THAT(MessageOfCreate(network, plan, data), AllOf(HasSubstr("left"), HasSubstr("right")));
  // Of 32 bits only the width counts.
  plan.layers[0].activation = plan.layers[1].activation = DefaultActivationFormat().WithBits(32);
  plan.layers[1].activation.calibrator = Calibrator::Max;
  EXPECT_EQ(MessageOfCreate(network, plan, data), "no error");
}

TEST(QuantizedNetwork, RefusesBadOptionsInputsAndWeights) {
  const Network network = LoadModel("SharedInput");
  const Dataset data = Samples({8, 6});
  const Plan plan = UniformPlan(network, 4, 8);
  QuantizeOptions options;
  options.batch_size = 0;
  EXPECT_THAT(MessageOf([&] { QuantizedNetwork::Create(network, plan, data, options); }), HasSubstr("batch"));
  options = {};
  options.correction_samples = 1;
  EXPECT_THAT(MessageOf([&] { QuantizedNetwork::Create(network, plan, data, options); }), HasSubstr("correction"));
  const auto quantized = QuantizedNetwork::Create(network, plan, data);
  EXPECT_THROW(quantized.Forward({torch::zeros({2, 7})}), Error);
  EXPECT_THROW(quantized.Forward({}), Error);
  EXPECT_THROW(quantized.Forward(AllInputs(data), {}), Error);
  EXPECT_THAT(MessageOf([&] { quantized.Forward(AllInputs(data), {torch::zeros({4, 6}), torch::zeros({4, 5})}); }),
              AllOf(HasSubstr("right"), HasSubstr("[4, 6]")));
}

TEST(QuantizedNetwork, StopsWhenTheCallbackThrows) {
  struct Stop {};
  const Network network = LoadModel("SharedInput");
  const Plan plan = UniformPlan(network, 4, 8);
  for (const std::string stage : {"quantizing weights", "activation ranges", "corrections"}) {
    QuantizeOptions options;
    options.progress = [&](const Progress& progress) {
      if (progress.stage == stage) throw Stop();
    };
    EXPECT_THROW(QuantizedNetwork::Create(network, plan, Samples({8, 6}), options), Stop) << stage;
  }
}

}  // namespace
}  // namespace bitplan::quantize
