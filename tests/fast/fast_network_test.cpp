#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/api/module.h>

#include <algorithm>

#include "bitplan/fast.h"
#include "fast_product.h"
#include "files/temporary_folder.h"
#include "network/model_case.h"
#include "quantize/networks.h"
#include "quantize/quantized_network.h"

namespace bitplan::fast {
namespace {

using testing::HasSubstr;

double LargestDifference(const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().max().item<double>(); }

bool AnyFast(const FastNetwork& network) {
  const auto& fast = network.fast_layers();
  return std::find(fast.begin(), fast.end(), true) != fast.end();
}

/// Where the processor has the kernels at all.
class OnByteKernels : public testing::Test {
 protected:
  void SetUp() override {
    if (!HasByteKernels()) GTEST_SKIP() << "this processor has no 8-bit dot products";
  }
};

TEST(FastNetwork, EveryModelRunsCloseToTheFakeQuantizedOneAndAlikeEachTime) {
  int with_kernels = 0;
  test::ForEachCase([&](const test::ModelCase& model) {
    for (const std::string& kind : model.kinds()) {
      SCOPED_TRACE(kind);
      const Network network = model.Load(kind);
      const std::vector<at::Tensor> inputs = model.Inputs();
      const Dataset data =
          Dataset::FromTensors(model.expected().at("batch_first").get<bool>() ? inputs : model.SampleInputs(), {});
      std::optional<QuantizedNetwork> quantized;
      try {
        quantized = QuantizedNetwork::Create(network, UniformPlan(network, 8, 8), data);
      } catch (const Error&) {
        continue;  // cannot be quantized at all
      }
      const FastNetwork fast = FastNetwork::Create(*quantized);
      std::vector<at::Tensor> given;
      for (const at::Tensor& input : inputs) given.push_back(input.clone());
      const at::Tensor expected = quantized->Forward(inputs), output = fast.Forward(given),
                       exact = network.Forward(inputs);
      ASSERT_EQ(output.sizes(), expected.sizes());
      if (output.numel() == 0 || !output.is_floating_point()) continue;
      const double range = std::max(exact.abs().max().item<double>(), 1e-3);
      EXPECT_LE(LargestDifference(output, expected), 0.01 * range + 2 * LargestDifference(expected, exact));
      EXPECT_TRUE(at::equal(fast.Forward(given), output)) << "a run left something behind";
      for (std::size_t i = 0; i < inputs.size(); ++i)
        EXPECT_TRUE(at::equal(given[i], inputs[i])) << "an input was written to";
      with_kernels += AnyFast(fast) ? 1 : 0;
    }
  });
  EXPECT_GE(with_kernels, HasByteKernels() ? 40 : 0);
}

TEST_F(OnByteKernels, RunWhatIsSpelledInPlaceAsThePlainSpelling) {
  for (const char* const name : {"in_place_residual", "in_place_activations", "in_place_decoder", "in_place_lists"}) {
    const test::ModelCase model(name);
    const Dataset data = Dataset::FromTensors(model.Inputs(), {});
    const auto fast = [&](const std::string& kind) {
      const Network network = model.Load(kind);
      return FastNetwork::Create(QuantizedNetwork::Create(network, UniformPlan(network, 8, 8), data));
    };
    const FastNetwork plain = fast("plain");
    EXPECT_TRUE(plain.in_float().empty());
    for (const std::string& kind : model.kinds()) {
      const FastNetwork other = fast(kind);
      EXPECT_EQ(other.fast_layers(), plain.fast_layers()) << name << " " << kind;
      EXPECT_LE(LargestDifference(other.Forward(model.Inputs()), plain.Forward(model.Inputs())), 1e-6)
          << name << " " << kind;
    }
  }
}

class Schemes : public testing::TestWithParam<std::tuple<Scheme, int>> {};
INSTANTIATE_TEST_SUITE_P(FastNetwork, Schemes,
                         testing::Combine(testing::Values(Scheme::Asymmetric, Scheme::Symmetric),
                                          testing::Values(8, 4, 2)));

TEST_P(Schemes, OneLayerIsTheProductOfItsIntegers) {
  const Network network = LoadModel("Chain", 0);
  const Dataset data = Samples({64, 3, 8, 8});
  const auto& [scheme, bits] = GetParam();
  Format activation = DefaultActivationFormat().WithBits(bits);
  activation.scheme = scheme;
  const QuantizedNetwork quantized =
      QuantizedNetwork::Create(network, UniformPlan(network, DefaultWeightFormat().WithBits(bits), activation), data);
  const at::Tensor expected = quantized.Forward(AllInputs(data));
  EXPECT_LE(LargestDifference(FastNetwork::Create(quantized).Forward(AllInputs(data)), expected),
            2e-6 * expected.abs().max().item<double>());
}

TEST_F(OnByteKernels, AllLayersOfAPlanWithFewBitsRun) {
  const Network network = LoadModel("Chain", 2);
  const QuantizedNetwork quantized =
      QuantizedNetwork::Create(network, UniformPlan(network, 3, 4), Samples({16, 3, 8, 8}));
  EXPECT_TRUE(FastNetwork::Create(quantized).in_float().empty());
}

TEST_F(OnByteKernels, WhatHasNoKernelIsNamedWithTheReason) {
  const Network network = LoadModel("Chain", 2);
  const Dataset data = Samples({16, 3, 8, 8});
  const auto reason = [&](const Format& weight, const Format& activation) {
    const FastNetwork fast =
        FastNetwork::Create(QuantizedNetwork::Create(network, UniformPlan(network, weight, activation), data));
    EXPECT_FALSE(AnyFast(fast));
    EXPECT_EQ(fast.in_float().size(), network.layers().size());
    return fast.in_float().at(0).reason;
  };
  Format asymmetric = DefaultWeightFormat();
  asymmetric.scheme = Scheme::Asymmetric;
  EXPECT_THAT(reason(asymmetric, DefaultActivationFormat()), HasSubstr("zero points"));
  EXPECT_THAT(reason(DefaultWeightFormat().WithBits(16), DefaultActivationFormat()), HasSubstr("not of integers"));
  EXPECT_THAT(reason(DefaultWeightFormat(), DefaultActivationFormat().WithBits(32)),
              HasSubstr("its input is in float"));
}

TEST_F(OnByteKernels, ADynamicPlanOfLinearLayersIsTheFakeQuantizedOne) {
  const Network network = LoadModel("SharedInput");
  Format dynamic = DefaultActivationFormat();
  dynamic.calibrator = Calibrator::Dynamic;
  const Dataset data = Samples({32, 6});
  const QuantizedNetwork quantized =
      QuantizedNetwork::Create(network, UniformPlan(network, DefaultWeightFormat(), dynamic), data);
  const FastNetwork fast = FastNetwork::Create(quantized);
  EXPECT_TRUE(AnyFast(fast));
  for (const double size : {1.0, 100.0}) {  // another range in each batch
    const at::Tensor x = AllInputs(data)[0] * size, expected = quantized.Forward({x});
    EXPECT_LE(LargestDifference(fast.Forward({x}), expected), 1e-5 * expected.abs().max().item<double>());
  }
}

TEST_F(OnByteKernels, LinearLayersThatReadFloatRunDynamicallyWhenAsked) {
  const Network network = LoadModel("SharedInput");
  const Dataset data = Samples({32, 6});
  const QuantizedNetwork read_in_float = QuantizedNetwork::Create(network, UniformPlan(network, 8, 32), data);
  Plan plan = UniformPlan(network, 8, 8);
  for (LayerPlan& layer : plan.layers) layer.activation.calibrator = Calibrator::Dynamic;
  const at::Tensor x = AllInputs(data)[0];
  plan.corrections.output = OutputCorrection::None;
  Plan without = read_in_float.plan();
  without.corrections.output = OutputCorrection::None;
  const FastNetwork fast = FastNetwork::Create(QuantizedNetwork::Create(network, without, data), {.dynamic = true});
  EXPECT_TRUE(fast.in_float().empty());
  const at::Tensor expected = QuantizedNetwork::Create(network, plan, data).Forward({x});
  EXPECT_LE(LargestDifference(fast.Forward({x}), expected), 1e-5 * expected.abs().max().item<double>());
  EXPECT_FALSE(AnyFast(FastNetwork::Create(read_in_float)));
}

/// A 3×3 convolution of 3 to 4 channels, and what follows it.
Network ConvolutionThen(const std::string& rest, const TemporaryFolder& folder) {
  torch::jit::Module module("Convolution");
  module.register_parameter("weight", AllInputs(Samples({4, 3, 3, 3}, 7))[0], false);
  module.register_parameter("bias", AllInputs(Samples({4}, 8))[0], false);
  module.register_attribute("training", c10::BoolType::get(), false);
  module.define("def forward(self, x):\n  y = torch.conv2d(x, self.weight, self.bias)\n" + rest);
  module.save((folder / "model.pt").string());
  NetworkOptions options;
  options.samples_first = false;  // broadcasts with axes of its own
  return Network::Load(folder / "model.pt", options);
}

/// Whether the network with kernels gives what the fake-quantized one does, but for the order of sums.
void ExpectTheSame(const std::string& rest) {
  SCOPED_TRACE(rest);
  const TemporaryFolder folder;
  const Network network = ConvolutionThen(rest, folder);
  const Dataset data = Samples({6, 3, 8, 8});
  const QuantizedNetwork quantized = QuantizedNetwork::Create(network, UniformPlan(network, 8, 8), data);
  const FastNetwork fast = FastNetwork::Create(quantized);
  EXPECT_TRUE(fast.in_float().empty());
  const at::Tensor expected = quantized.Forward(AllInputs(data)), output = fast.Forward(AllInputs(data));
  ASSERT_EQ(output.sizes(), expected.sizes());
  EXPECT_LE(LargestDifference(output, expected), 1e-5 * expected.abs().max().item<double>());
}

TEST_F(OnByteKernels, ActivationsKeepTheirBounds) {
  for (const char* const bounds :
       {"0., 6.", "-0.5, 0.5", "-0.25, float('inf')", "float('-inf'), 0.25", "0., float('inf')"})
    ExpectTheSame("  return torch.hardtanh(y, " + std::string(bounds) + ")\n");
  ExpectTheSame("  return torch.relu(y)\n");
}

TEST_F(OnByteKernels, SumsMayBeLargerThanTheProduct) {
  ExpectTheSame("  z = x[:, 0:1, 0:6, 0:6] + y\n  return torch.relu(z).view(z.size(0), z.size(1), -1)\n");
  ExpectTheSame("  y = torch.mean(y, [2, 3], True)\n  return y + x[:, 0:1]\n");
  ExpectTheSame("  z = y[:, :, 0:1, 0:1] + y\n  return torch.relu(z).reshape(z.size(0), -1)\n");
  ExpectTheSame("  z = y + torch.ones([5, 1, 4, 6, 6])\n  return torch.relu(z).reshape(z.size(0), z.size(1), -1)\n");
}

// Kernels leave images channels last.
TEST_F(OnByteKernels, ViewsOfAProductAreThoseOfTheNetworksOwn) {
  ExpectTheSame("  return torch.relu(y).view(-1, 144)\n");
  ExpectTheSame("  return torch.max_pool2d(torch.relu(y), [2, 2], [2, 2]).view(-1, 36)\n");
  ExpectTheSame("  return torch.add(y, x[:, 0:1, 0:6, 0:6]).view_as(torch.zeros([y.size(0), 144]))\n");
  ExpectTheSame("  return torch.as_strided(torch.relu(y), [y.size(0), 36], [144, 1])\n");
  ExpectTheSame("  z = y + torch.relu(y)\n  return torch.as_strided(z, [y.size(0), 36], [144, 1])\n");
}

TEST_F(OnByteKernels, LstmsRunDynamicallyWhenAsked) {
  int lstms = 0;
  test::ForEachCase([&](const test::ModelCase& model) {
    for (const std::string& kind : model.kinds()) {
      SCOPED_TRACE(kind);
      const Network network = model.Load(kind);
      const auto is_lstm = [](const Layer& layer) { return layer.op == "lstm"; };
      if (std::none_of(network.layers().begin(), network.layers().end(), is_lstm)) continue;
      const bool has_kernel =
          model.name() != "lstm_cells" && model.name() != "lstm_packed" && model.name() != "lstm_projected";
      const std::vector<at::Tensor> inputs = model.Inputs();
      const Dataset data =
          Dataset::FromTensors(model.expected().at("batch_first").get<bool>() ? inputs : model.SampleInputs(), {});
      const QuantizedNetwork quantized = QuantizedNetwork::Create(network, UniformPlan(network, 8, 32), data);
      const FastNetwork fast = FastNetwork::Create(quantized, {.dynamic = true});
      for (std::size_t i = 0; i < network.layers().size(); ++i)
        EXPECT_TRUE(!is_lstm(network.layers()[i]) || fast.fast_layers()[i] == has_kernel) << network.layers()[i].name;
      const at::Tensor expected = quantized.Forward(inputs), output = fast.Forward(inputs);
      ASSERT_EQ(output.sizes(), expected.sizes());
      const double difference = LargestDifference(output, expected);
      EXPECT_LE(difference, 0.03 * expected.abs().max().item<double>());
      EXPECT_TRUE(difference > 0 || !has_kernel) << "nothing was rounded";
      lstms += has_kernel ? 1 : 0;
    }
  });
  EXPECT_GE(lstms, 1);
}

}  // namespace
}  // namespace bitplan::fast
