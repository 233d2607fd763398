// Layers are called what the model calls them, whatever that is; what has no name there gets one of its own.

#include <gtest/gtest.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/passes/freeze_module.h>

#include <set>

#include "bitplan/network.h"
#include "files/temporary_folder.h"

namespace bitplan::network {
namespace {

at::Tensor Weight(int number) { return at::arange(16, at::kFloat).add(number).sin().view({4, 4}); }

/// Linear layers one after the other, with these names for their weights.
torch::jit::Module Chain(const std::vector<std::string>& weights) {
  torch::jit::Module module("Chain");
  std::string forward = "def forward(self, x):\n";
  for (std::size_t i = 0; i < weights.size(); ++i) {
    module.register_parameter(weights[i], Weight(static_cast<int>(i)), false);
    forward += "  x = torch.linear(torch.relu(x), self." + weights[i] + ")\n";
  }
  module.define(forward + "  return x\n");
  return module;
}

/// The same with the weights that are given as constants of the code.
torch::jit::Module WithConstants(torch::jit::Module module, const std::set<std::string>& constants) {
  const auto graph = module.get_method("forward").graph();
  std::vector<torch::jit::Node*> reads;
  for (torch::jit::Node* node : graph->nodes())
    if (node->kind() == c10::prim::GetAttr && constants.contains(node->s(c10::attr::name))) reads.push_back(node);
  for (torch::jit::Node* node : reads) {
    const torch::jit::WithInsertPoint here(node);
    node->output()->replaceAllUsesWith(
        graph->insertConstant(module.attr(node->s(c10::attr::name)).toTensor().detach().clone()));
    node->destroy();
  }
  return module;
}

Network Loaded(const torch::jit::Module& module) {
  const TemporaryFolder folder;
  module.save((folder / "model.pt").string());
  return Network::Load(folder / "model.pt");
}

std::vector<std::string> LayerNames(const Network& network) {
  std::vector<std::string> names;
  for (const Layer& layer : network.layers()) names.push_back(layer.name);
  return names;
}

TEST(LayerNames, AreTheModelsOwnAlsoWhereTheyBeginLikeAConstants) {
  const std::vector<std::string> names{"constant", "constant0", "constant1", "constants_of_all", "linear_0"};
  const Network network = Loaded(Chain(names));
  EXPECT_EQ(LayerNames(network), names);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const Layer& layer = network.layers()[i];
    EXPECT_EQ(network.parameters()[static_cast<std::size_t>(layer.weight)].name, names[i]);
    EXPECT_TRUE(at::equal(network.Weight(layer), Weight(static_cast<int>(i))));
  }
}

TEST(LayerNames, OfConstantsAreNumberedBesideTheModelsOwn) {
  const std::vector<std::string> names{"constant0", "first", "linear_0", "second", "constant1", "linear_2"};
  const Network network = Loaded(WithConstants(Chain(names), {"first", "second"}));
  const std::vector<std::string> found = LayerNames(network);
  ASSERT_EQ(found.size(), names.size());
  EXPECT_EQ(std::set<std::string>(found.begin(), found.end()).size(), names.size());
  for (const std::size_t own : {0U, 2U, 4U, 5U}) EXPECT_EQ(found[own], names[own]);
  EXPECT_EQ(found[1], "linear_1");
  EXPECT_EQ(found[3], "linear_3");
  for (std::size_t i = 0; i < names.size(); ++i)
    EXPECT_TRUE(at::equal(network.Weight(network.layers()[i]), Weight(static_cast<int>(i)))) << i;
}

TEST(LayerNames, OfConstantsAloneAreOperatorsAndNumbers) {
  const Network network = Loaded(WithConstants(Chain({"a", "b"}), {"a", "b"}));
  EXPECT_EQ(LayerNames(network), (std::vector<std::string>{"linear_0", "linear_1"}));
}

}  // namespace
}  // namespace bitplan::network
