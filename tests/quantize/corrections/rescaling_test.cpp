#include "corrections/rescaling.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "network/channel_links.h"
#include "network/model_case.h"
#include "quantize/networks.h"

namespace bitplan::quantize {
namespace {

using ::testing::HasSubstr;

Plan PlanWith(const Network& network, Rescaling rescaling, int weight_bits = 4, int activation_bits = 8) {
  Plan plan = UniformPlan(network, weight_bits, activation_bits);
  plan.corrections.rescaling = rescaling;
  return plan;
}

std::set<std::string> LinkNames(const Network& network) {
  std::set<std::string> names;
  for (const network::ChannelLink& link : network::FindChannelLinks(network)) {
    std::string name =
        link.made_by ? network.layers()[*link.made_by].name : network.parameters()[link.factors[0].parameter].name;
    for (const auto& reader : link.readers) name += " " + network.layers()[reader.layer].name;
    names.insert(name);
  }
  return names;
}

TEST(ChannelLinks, AreThoseThatNothingElseReads) {
  EXPECT_EQ(LinkNames(LoadModel("Links")), (std::set<std::string>{"first depthwise", "depthwise third", "third last"}));
  EXPECT_EQ(LinkNames(LoadModel("NormThenLinear")),
            (std::set<std::string>{"norm.weight left right"}));  // GELU is in the way
  EXPECT_TRUE(LinkNames(LoadModel("SharedBias")).empty());
  const Network resnet = Network::Load(std::filesystem::path(BITPLAN_EXAMPLES_DIR) / "cifar10" / "resnet20.pt");
  std::set<std::string> blocks;
  for (int stage = 1; stage <= 3; ++stage)
    for (int block = 0; block < 3; ++block) {
      const std::string name = "layer" + std::to_string(stage) + "." + std::to_string(block);
      blocks.insert(name + ".conv1 " + name + ".conv2");
    }
  EXPECT_EQ(LinkNames(resnet), blocks);  // elsewhere sums and shortcuts read the channels as well
}

/// On every model that has links: scaling a link's ends by anything leaves the output where it was.
TEST(ChannelLinks, CanBeScaledByAnything) {
  std::size_t links = 0;
  test::ForEachCase([&](const test::ModelCase& model) {
    for (const bool fold : {true, false}) {
      NetworkOptions options;
      options.output = model.AnyOutput();
      options.fold_batch_norm = fold;
      std::optional<Network> network;
      try {
        network = model.Load(model.kinds().front(), options);
      } catch (const Error&) {
        continue;  // cannot be folded
      }
      const auto found = network::FindChannelLinks(*network);
      if (found.empty()) continue;
      links += found.size();
      std::vector<at::Tensor> values = network->ParameterValues();
      for (const network::ChannelLink& link : found)
        network::ScaleLink(*network, link, at::rand({link.channels}) + 0.5, values);
      const at::Tensor wanted = network->Forward(model.Inputs()),
                       given = network->WithParameters(values).Forward(model.Inputs());
      EXPECT_TRUE(torch::allclose(given, wanted, 1e-3, 1e-4)) << model.name() << " folded " << fold;
    }
  });
  EXPECT_GE(links, 5U);
}

TEST(Rescaling, LeavesTheFloatOutput) {
  for (const auto& [name, shape] :
       {std::pair("Links", std::vector<std::int64_t>{64, 3, 16, 16}), {"NormThenLinear", {64, 5, 8}}})
    for (const Rescaling rescaling : {Rescaling::Equalization, Rescaling::SmoothQuant, Rescaling::ActivationAware}) {
      const Network network = LoadModel(name);
      const Dataset data = Samples(shape);
      const Network rescaled = Rescale(network, PlanWith(network, rescaling), data, 16);
      const at::Tensor wanted = network.Forward(AllInputs(data));
      const double change = (rescaled.Forward(AllInputs(data)) - wanted).abs().max().item<double>();
      EXPECT_LT(change, 1e-4 * wanted.abs().max().item<double>()) << name << " " << ToString(rescaling);
      EXPECT_EQ(rescaled.sha256(), network.sha256());
    }
}

TEST(Equalization, GivesBothSidesOfEveryChannelTheSameRange) {
  const Network network = LoadModel("Links");
  const Network rescaled = Rescale(network, PlanWith(network, Rescaling::Equalization), Samples({8, 3, 16, 16}), 8);
  const auto weight = [&](const char* name) {
    return rescaled.Weight(rescaled.layers()[static_cast<std::size_t>(test::LayerIndex(rescaled, name))]);
  };
  const auto range = [](const at::Tensor& w, std::int64_t axis) { return w.abs().movedim(axis, 0).flatten(1).amax(1); };
  EXPECT_TRUE(torch::allclose(range(weight("first"), 0), range(weight("depthwise"), 0), 1e-3, 0));
  EXPECT_TRUE(torch::allclose(range(weight("depthwise"), 0), range(weight("third"), 1), 1e-3, 0));
  EXPECT_TRUE(torch::allclose(range(weight("third"), 0), range(weight("last"), 1), 1e-3, 0));
}

/// `network` with the channels of its links scaled by factors from 0.01 to 100: the same function.
Network Distorted(const Network& network) {
  std::vector<at::Tensor> values = network.ParameterValues();
  for (const network::ChannelLink& link : network::FindChannelLinks(network))
    network::ScaleLink(network, link, at::logspace(-2, 2, link.channels), values);
  return network.WithParameters(values);
}

TEST(Equalization, UndoesWhateverScalesTheChannelsHad) {
  const Network network = LoadModel("Links"), distorted = Distorted(network);
  const Dataset data = Samples({64, 3, 16, 16});
  Plan plan = PlanWith(network, Rescaling::Equalization, 6, 32);
  const Network once = Rescale(network, plan, data, 16), again = Rescale(distorted, plan, data, 16);
  for (const Layer& layer : network.layers())
    EXPECT_TRUE(torch::allclose(again.Weight(layer), once.Weight(layer), 1e-2, 1e-4)) << layer.name;

  for (LayerPlan& layer : plan.layers) layer.weight.granularity = Granularity::Tensor;
  plan.corrections.output = OutputCorrection::None;
  const auto error = [&](Rescaling rescaling) {
    plan.corrections.rescaling = rescaling;
    const at::Tensor given = QuantizedNetwork::Create(distorted, plan, data).Forward(AllInputs(data));
    return (given - network.Forward(AllInputs(data))).square().mean().item<double>();
  };
  EXPECT_LT(error(Rescaling::Equalization), 0.1 * error(Rescaling::None));
}

/// Weights near 0 and a large bias: what made the weights as large as the next layer's would make the bias huge, and
/// leave the other channels no levels of the tensor's grid.
TEST(Equalization, DoesNotLiftTheBiasOfANearlyDeadChannel) {
  const Network network = LoadModel("Links");
  const Dataset data = Samples({64, 3, 16, 16});
  const Layer& first = network.layers()[static_cast<std::size_t>(test::LayerIndex(network, "first"))];
  ASSERT_GE(first.bias, 0);
  const auto bias_of = [&](const Network& of) { return of.ParameterValues()[static_cast<std::size_t>(first.bias)]; };
  for (const double size : {1e-4, 1e-8, 1e-20}) {
    std::vector<at::Tensor> values = network.ParameterValues();
    at::Tensor &weight = values[static_cast<std::size_t>(first.weight)],
               &bias = values[static_cast<std::size_t>(first.bias)];
    weight = weight.clone(), bias = bias.clone();
    weight.select(0, 2).mul_(size);
    bias[2] = 4;
    const Network dead = network.WithParameters(values);
    Plan plan = PlanWith(dead, Rescaling::Equalization, 8, 8);
    plan.corrections.output = OutputCorrection::None;
    const at::Tensor after = bias_of(Rescale(dead, plan, data, 16)).abs();
    const double largest = at::cat({after.narrow(0, 0, 2), after.narrow(0, 3, 5)}).max().item<double>();
    EXPECT_LT(after[2].item<double>(), 20 * largest) << size;
    const auto error = [&](Rescaling rescaling) {
      plan.corrections.rescaling = rescaling;
      for (LayerPlan& layer : plan.layers) layer.activation.calibrator = Calibrator::Max;
      const at::Tensor given = QuantizedNetwork::Create(dead, plan, data).Forward(AllInputs(data));
      return (given - dead.Forward(AllInputs(data))).square().mean().item<double>();
    };
    EXPECT_LT(error(Rescaling::Equalization), 4 * error(Rescaling::None)) << size;
  }
}

TEST(SmoothQuant, MovesTheShareOfTheRangeThatIsAskedFor) {
  const Network network = LoadModel("NormThenLinear");
  const Dataset data = Samples({64, 5, 8});
  for (const double share : {0.0, 0.5, 0.8, 1.0}) {
    Plan plan = PlanWith(network, Rescaling::SmoothQuant);
    plan.corrections.smoothing = share;
    const Network rescaled = Rescale(network, plan, data, 7);
    const auto gamma = [](const Network& of) {
      for (const Parameter& parameter : of.parameters())
        if (parameter.name == "norm.weight") return parameter.value;
      return at::Tensor();
    };
    const at::Tensor scale = gamma(network) / gamma(rescaled);
    const at::Tensor x = at::layer_norm(AllInputs(data)[0], {8}, gamma(network), [&] {
      for (const Parameter& parameter : network.parameters())
        if (parameter.name == "norm.bias") return parameter.value;
      return at::Tensor();
    }());
    const at::Tensor w = torch::cat({network.Weight(network.layers()[0]), network.Weight(network.layers()[1])});
    const at::Tensor wanted = x.abs().flatten(0, 1).amax(0).pow(share) / w.abs().amax(0).pow(1 - share);
    EXPECT_TRUE(torch::allclose(scale, wanted, 1e-4, 0)) << share << scale << wanted;
  }
}

TEST(SmoothQuant, HelpsInputsWithOneLargeChannel) {
  const Network network = LoadModel("NormThenLinear");
  const Dataset data = Samples({64, 5, 8});
  const auto error = [&](Rescaling rescaling) {
    Plan plan = PlanWith(network, rescaling, 8, 4);
    plan.corrections.output = OutputCorrection::None;
    const at::Tensor given = QuantizedNetwork::Create(network, plan, data).Forward(AllInputs(data));
    return (given - network.Forward(AllInputs(data))).square().mean().item<double>();
  };
  EXPECT_LT(error(Rescaling::SmoothQuant), 0.7 * error(Rescaling::None));
}

TEST(ActivationAware, TakesTheExponentWithTheLeastOutputError) {
  const Network network = LoadModel("NormThenLinear");
  const Dataset data = Samples({64, 5, 8});
  const Plan plan = PlanWith(network, Rescaling::ActivationAware, 3, 32);
  test::Recorder recorder;
  network.Forward(AllInputs(data), network.ParameterValues(), &recorder);
  const at::Tensor x = recorder.First(network.layers()[0].uses[0].input_site);
  const auto error = [&](const at::Tensor& scale) {
    double sum = 0;
    for (const std::size_t layer : {0, 1}) {
      const at::Tensor w = network.Weight(network.layers()[layer]);
      const at::Tensor q = QuantizeWeight(w * scale, plan.layers[layer].weight, 0).value;
      sum += (at::linear(x / scale, q) - at::linear(x, w)).square().sum().item<double>();
    }
    return sum;
  };
  const at::Tensor magnitude = x.abs().flatten(0, 1).mean(0);
  double least = std::numeric_limits<double>::infinity();
  for (int i = 0; i < 20; ++i) {
    const at::Tensor scale = magnitude.pow(i / 20.0);
    least = std::min(least, error(scale / (scale.max() * scale.min()).sqrt()));
  }
  const Network rescaled = Rescale(network, plan, data, 16);
  const at::Tensor taken = (rescaled.Weight(rescaled.layers()[0]) / network.Weight(network.layers()[0])).select(0, 0);
  EXPECT_NEAR(error(taken), least, 1e-4 * least);
  EXPECT_LT(least, error(at::ones({8})));
}

TEST(Rescaling, IsRefusedWhereItCannotBeDone) {
  const Network network = LoadModel("SharedBias", 1);
  const Dataset data = Samples({8, 6});
  EXPECT_THAT(MessageOf([&] { QuantizedNetwork::Create(network, PlanWith(network, Rescaling::Equalization), data); }),
              HasSubstr("nothing between them"));
  const Network links = LoadModel("Links");
  const Dataset images = Samples({8, 3, 16, 16});
  const Plan plan = PlanWith(links, Rescaling::Equalization);
  EXPECT_THAT(MessageOf([&] { QuantizedNetwork::Create(links, plan, Calibration::Collect(links, images, true)); }),
              HasSubstr("calibration data"));
  QuantizeOptions options;
  options.statistics = ActivationStatistics::Collect(links, images, 8);
  EXPECT_THAT(MessageOf([&] { QuantizedNetwork::Create(links, plan, images, options); }),
              HasSubstr("before they are rescaled"));
}

}  // namespace
}  // namespace bitplan::quantize
