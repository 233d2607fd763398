#include "network/tails.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "network/model_case.h"

namespace bitplan::test {
namespace {

/// The network's parameters, one of them multiplied.
std::vector<at::Tensor> WithScaled(const Network& network, int parameter, double factor) {
  std::vector<at::Tensor> values = network.ParameterValues();
  at::Tensor& value = values[static_cast<std::size_t>(parameter)];
  if (value.is_floating_point()) value = value * factor;
  return values;
}

/// Every model in its first kind of file.
void ForEachNetwork(const std::function<void(const ModelCase&, const Network&)>& check) {
  ForEachCase([&](const ModelCase& model) { check(model, model.Load(model.kinds().front())); });
}

TEST(Tails, GiveTheOutputOfTheWholeNetworkWithAnotherWeight) {
  std::size_t layers = 0;
  ForEachNetwork([&](const ModelCase& model, const Network& network) {
    const at::NoGradGuard no_grad;
    const network::Tails tails(network);
    const network::Tails::Prefix prefix = tails.Run(model.Inputs());
    EXPECT_TRUE(at::equal(prefix.output(), network.Forward(model.Inputs())));
    // Twice, so that a tail that spoilt what others start from would be seen.
    for (int round = 0; round < 2; ++round)
      for (std::size_t i = 0; i < network.layers().size(); ++i) {
        const std::vector<at::Tensor> changed = WithScaled(network, network.layers()[i].weight, 0.75);
        EXPECT_TRUE(
            at::equal(tails.Run(prefix, static_cast<int>(i), changed), network.Forward(model.Inputs(), changed)))
            << network.layers()[i].name;
        ++layers;
      }
  });
  EXPECT_GT(layers, 400u);
}

TEST(Tails, GiveTheOutputOfTheWholeNetworkWithAProbeAtTheLayersInputOrOutput) {
  std::size_t sites = 0;
  ForEachNetwork([&](const ModelCase& model, const Network& network) {
    const at::NoGradGuard no_grad;
    const network::Tails tails(network);
    const network::Tails::Prefix prefix = tails.Run(model.Inputs());
    const auto half = [](const at::Tensor& value) { return value.is_floating_point() ? value * 0.5 : value; };
    for (std::size_t i = 0; i < network.layers().size(); ++i)
      for (const LayerUse& use : network.layers()[i].uses)
        for (const int site : {use.input_site, use.output_site}) {
          if (site < 0) continue;
          Replacer in_tail(site, half), in_whole(site, half);
          const at::Tensor expected = network.Forward(model.Inputs(), network.ParameterValues(), &in_whole);
          EXPECT_TRUE(at::equal(tails.Run(prefix, static_cast<int>(i), network.ParameterValues(), &in_tail), expected))
              << network.sites()[static_cast<std::size_t>(site)].name;
          ++sites;
        }
  });
  EXPECT_GT(sites, 400u);
}

TEST(Tails, OfLaterLayersVisitFewerSites) {
  const ModelCase model("small_resnet");
  const Network network = model.Load("scripted");
  const network::Tails tails(network);
  const network::Tails::Prefix prefix = tails.Run(model.Inputs());
  const auto sites_visited = [&](const std::string& layer) {
    Recorder recorder;
    tails.Run(prefix, LayerIndex(network, layer), network.ParameterValues(), &recorder);
    return recorder.visits().size();
  };
  EXPECT_EQ(sites_visited("conv1"), 14u);
  EXPECT_EQ(sites_visited("layer1.0.conv2"), 10u);
  EXPECT_EQ(sites_visited("layer2.0.conv2"), 6u);
  EXPECT_EQ(sites_visited("fc"), 2u);
}

}  // namespace
}  // namespace bitplan::test
