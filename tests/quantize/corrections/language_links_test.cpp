#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "corrections/rescaling.h"
#include "network/channel_links.h"
#include "quantize/networks.h"

namespace bitplan::quantize {
namespace {

const std::vector<std::string> kSpellings = {"Llama",      "OriginalLlama", "Gemma", "Divided",
                                             "Normalized", "Fused",         "NoBias"};

Dataset Sequences() { return Samples({32, 6, 16}); }

std::set<std::string> LinksOf(const Network& network) {
  std::set<std::string> links;
  for (const network::ChannelLink& link : network::FindChannelLinks(network)) {
    std::string text =
        link.made_by ? network.layers()[*link.made_by].name : network.parameters()[link.factors[0].parameter].name;
    text = text.substr(0, text.find('.')) + ":";
    for (const network::ChannelLink::Reader& reader : link.readers) text += " " + network.layers()[reader.layer].name;
    links.insert(text);
  }
  return links;
}

template <typename Check>
void ForEachSpelling(const Check& check) {
  for (const std::string& norm : kSpellings)
    for (const std::string kind : {"scripted", "traced"}) {
      SCOPED_TRACE(norm + " " + kind);
      check(LoadModel(norm + "Block." + kind));
    }
}

TEST(LanguageLinks, AreFoundBehindEverySpellingOfANorm) {
  ForEachSpelling([](const Network& network) {
    const std::set<std::string> links = LinksOf(network);
    EXPECT_THAT(links, ::testing::IsSupersetOf({"norm1: q k v", "norm2: gate up", "v: o", "up: down"}))
        << ::testing::PrintToString(links);
    EXPECT_EQ(links.size(), 4U);
  });
}

TEST(LanguageLinks, LeaveTheOutputWhateverTheirFactors) {
  ForEachSpelling([](const Network& network) {
    std::vector<at::Tensor> values = network.ParameterValues();
    for (const network::ChannelLink& link : network::FindChannelLinks(network))
      network::ScaleLink(network, link, at::logspace(-2, 2, link.channels), values);
    const at::Tensor wanted = network.Forward(AllInputs(Sequences())),
                     given = network.WithParameters(values).Forward(AllInputs(Sequences()));
    EXPECT_LT((given - wanted).abs().max().item<double>(), 1e-4 * wanted.abs().max().item<double>());
  });
}

double ErrorOf(const Network& network, Rescaling rescaling, int weight_bits, int activation_bits) {
  Plan plan = UniformPlan(network, weight_bits, activation_bits);
  for (LayerPlan& layer : plan.layers) layer.activation.calibrator = Calibrator::Max;
  plan.corrections.rescaling = rescaling;
  plan.corrections.output = OutputCorrection::None;
  const at::Tensor given = QuantizedNetwork::Create(network, plan, Sequences()).Forward(AllInputs(Sequences()));
  return (given - network.Forward(AllInputs(Sequences()))).square().mean().item<double>();
}

TEST(LanguageLinks, LowerTheErrorOfOutlierChannels) {
  ForEachSpelling([](const Network& network) {
    EXPECT_LT(ErrorOf(network, Rescaling::SmoothQuant, 8, 8), 0.3 * ErrorOf(network, Rescaling::None, 8, 8));
  });
}

/// As much as plain PyTorch's scales, on the same samples; the grids' scales are not found alike.
TEST(LanguageLinks, OfActivationAwareScalesLowerTheErrorAsInPyTorch) {
  std::ifstream file(std::filesystem::path(BITPLAN_TEST_DIR) / "quantize" / "models" / "activation_aware.json");
  const auto expected = nlohmann::json::parse(file);
  for (const std::string& norm : kSpellings) {
    const Network network = LoadModel(norm + "Block.scripted");
    const double ratio = ErrorOf(network, Rescaling::ActivationAware, 3, 32) / ErrorOf(network, Rescaling::None, 3, 32);
    EXPECT_NEAR(ratio, expected[norm].get<double>(), 0.1 * expected[norm].get<double>()) << norm;
  }
}

TEST(LanguageLinks, OfSharedHeadsAreRefused) {
  EXPECT_EQ(LinksOf(LoadModel("GroupedQueries")),
            (std::set<std::string>{"norm1: q k v", "norm2: gate up", "up: down"}));
}

/// Squares, a vector that two operators read (what passes it is scaled at its ends), channels that are summed over.
TEST(LanguageLinks, AreNotWhatOnlyLooksLikeThem) {
  EXPECT_EQ(LinksOf(LoadModel("Traps")), (std::set<std::string>{"second: third"}));
}

/// A small limit takes more passes and blocks, and finds scales that are as good.
TEST(LanguageLinks, OfActivationAwareScalesKeepToTheMemory) {
  const Network network = LoadModel("LlamaBlock.scripted");
  Plan plan = UniformPlan(network, 3, 32);
  plan.corrections.rescaling = Rescaling::ActivationAware;
  const Network at_once = Rescale(network, plan, Sequences(), 8);
  const Network in_passes = Rescale(network, plan, Sequences(), 8, 8 * 3 * 16 * 16 * 8 / 7 + 8);
  for (const Layer& layer : network.layers())
    EXPECT_TRUE(at::allclose(in_passes.Weight(layer), at_once.Weight(layer), 1e-5, 1e-6) || layer.name == "up" ||
                layer.name == "down")
        << layer.name;
  Rescale(network, plan, Sequences(), 8, 2000);  // in blocks; checks the output itself
}

}  // namespace
}  // namespace bitplan::quantize
