#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <string>
#include <vector>

#include "bitplan/network.h"
#include "network/derivatives.h"
#include "network/lowered_graph.h"
#include "network/model_case.h"

namespace bitplan::test {
namespace {

/// Operators of the graph that write to one of their operands.
std::vector<std::string> Writers(const Network& network) {
  std::vector<std::string> writers;
  for (const torch::jit::Node* node : network::AllNodes(network.lowered().graph->block())) {
    const auto* const schema = node->maybeSchema();
    if (!schema) continue;
    for (const c10::Argument& argument : schema->arguments())
      if (argument.alias_info() && argument.alias_info()->isWrite()) writers.push_back(network::OperatorName(node));
  }
  return writers;
}

Network LoadWithOperands(const ModelCase& model, const std::string& kind, bool fold) {
  NetworkOptions options;
  options.fold_batch_norm = fold;
  options.operand_sites = true;
  return model.Load(kind, options);
}

class InPlace : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Models, InPlace,
                         testing::Values("in_place_residual", "in_place_activations", "in_place_decoder",
                                         "in_place_views", "in_place_parts", "in_place_fills", "in_place_lists",
                                         "in_place_dicts", "in_place_loop", "in_place_reshaped"),
                         [](const auto& test) { return std::string(test.param); });

TEST_P(InPlace, IsWrittenWithPlainOperators) {
  const ModelCase model(GetParam());
  for (const std::string& kind : model.kinds()) {
    SCOPED_TRACE(kind);
    EXPECT_EQ(Writers(model.Load(kind)), std::vector<std::string>());
  }
}

TEST_P(InPlace, ComputesWhatThePlainSpellingDoes) {
  const ModelCase model(GetParam());
  for (const bool fold : {false, true}) {
    const at::Tensor plain = model.Load("plain", fold).Forward(model.Inputs());
    for (const std::string& kind : model.kinds())
      EXPECT_LE(MaxDifference(model.Load(kind, fold).Forward(model.Inputs()), plain), 1e-6) << kind;
  }
}

/// Sites that layers are tapped at, and what else is known of the layers.
std::vector<std::string> Described(const Network& network) {
  std::vector<std::string> lines;
  for (const Layer& layer : network.layers()) {
    const std::string bias = layer.bias < 0 ? "none" : network.parameters()[static_cast<std::size_t>(layer.bias)].name;
    std::string line = layer.name + " " + layer.op + " bias " + bias + " tied " + std::to_string(layer.tied_group);
    for (const LayerUse& use : layer.uses)
      for (const int site : {use.input_site, use.output_site})
        line += site < 0 ? " -" : " " + network.sites()[static_cast<std::size_t>(site)].name;
    lines.push_back(line);
  }
  return lines;
}

TEST_P(InPlace, HasTheLayersOfThePlainSpelling) {
  const ModelCase model(GetParam());
  for (const bool fold : {false, true}) {
    const Network plain = LoadWithOperands(model, "plain", fold);
    for (const std::string& kind : model.kinds())
      EXPECT_EQ(Described(LoadWithOperands(model, kind, fold)), Described(plain)) << kind;
  }
}

// Where the plain spelling is the same operators, not only the same numbers.
TEST(InPlaceSites, AreThoseOfThePlainSpelling) {
  for (const char* const name : {"in_place_residual", "in_place_activations", "in_place_reshaped"}) {
    const ModelCase model(name);
    const auto names = [&](const std::string& kind) {
      const Network network = LoadWithOperands(model, kind, true);
      std::vector<std::string> sites;
      for (const Site& site : network.sites()) sites.push_back(site.name);
      return sites;
    };
    for (const std::string& kind : model.kinds()) EXPECT_EQ(names(kind), names("plain")) << name << " " << kind;
  }
}

// A reshape may copy; an item of a list may be any tensor. PyTorch test cases tell that the outputs are right.
TEST(InPlaceThatCannotBeFollowed, StaysInPlace) {
  EXPECT_NE(Writers(ModelCase("in_place_may_be_copied").Load("scripted")), std::vector<std::string>());
  EXPECT_NE(Writers(ModelCase("in_place_kept_in_list").Load("scripted")), std::vector<std::string>());
}

// Sigmoid's derivative needs its result, which is written over.
TEST(InPlaceThatCannotBeFollowed, IsNamedWhereADerivativeNeedsWhatItWritesOver) {
  const ModelCase model("in_place_may_be_copied");
  const Network network = model.Load("scripted");
  std::vector<at::Tensor> values = network.ParameterValues();
  for (at::Tensor& value : values) value = value.clone().requires_grad_();
  const at::Tensor output = network.Forward(model.Inputs(), values).sum();
  const std::string message = MessageOf([&] { network::Differentiate(network, [&] { output.backward(); }); });
  EXPECT_THAT(message, testing::HasSubstr("'mul_' after layer 'fc1' writes in place"));
  EXPECT_TRUE(IsOneLine(message));
}

}  // namespace
}  // namespace bitplan::test
