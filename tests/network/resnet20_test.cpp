#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <numeric>

#include "bitplan/network.h"
#include "network/model_case.h"

namespace bitplan::test {
namespace {

Network LoadResNet20(bool fold_batch_norm) {
  NetworkOptions options;
  options.fold_batch_norm = fold_batch_norm;
  return Network::Load(std::filesystem::path(BITPLAN_EXAMPLES_DIR) / "cifar10" / "resnet20.pt", options);
}

/// Layer names of the bundled model, in order of execution. Its shortcuts have no weights.
std::vector<std::string> Names() {
  std::vector<std::string> names = {"conv1"};
  for (const std::string stage : {"layer1", "layer2", "layer3"}) {
    for (const std::string block : {".0", ".1", ".2"}) {
      names.push_back(stage + block + ".conv1");
      names.push_back(stage + block + ".conv2");
    }
  }
  names.push_back("linear");
  return names;
}

class ResNet20Both : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Folding, ResNet20Both, testing::Bool());

TEST_P(ResNet20Both, HasThePublishedNumberOfWeightsAndMacs) {
  const Network network = LoadResNet20(GetParam());
  const NetworkSummary profile = Summarize(network, {at::zeros({1, 3, 32, 32})});
  std::int64_t convolutions = 0, linear = 0, macs = 0;
  for (std::size_t i = 0; i < network.layers().size(); ++i) {
    const Layer& layer = network.layers()[i];
    (layer.op == "linear" ? linear : convolutions) += network.Weight(layer).numel();
    macs += profile.layers[i].macs;
  }
  EXPECT_EQ(convolutions, 267'696);
  EXPECT_EQ(linear, 640);
  EXPECT_EQ(macs, 40'551'040);
  EXPECT_EQ(profile.output_shape, (std::vector<std::int64_t>{1, 10}));
}

TEST_P(ResNet20Both, HasTheNamesOfTheModel) {
  const Network network = LoadResNet20(GetParam());
  std::vector<std::string> names;
  for (const Layer& layer : network.layers()) names.push_back(layer.name);
  EXPECT_EQ(names, Names());
  for (const Layer& layer : network.layers()) EXPECT_EQ(layer.op, layer.name == names.back() ? "linear" : "conv2d");
}

TEST(ResNet20, GivenAWrongShapeSaysSoInOneLine) {
  const Network network = LoadResNet20(true);
  const std::string message = MessageOf([&] { network.Forward({at::zeros({1, 1, 28, 28})}); });
  EXPECT_TRUE(IsOneLine(message)) << message;
  EXPECT_NE(message.find("[1, 1, 28, 28]"), std::string::npos) << message;
}

TEST(ResNet20, ChangesNoLogitByMoreThanAThousandth) {
  const at::Tensor images =
      ExampleInputs({"3,32,32"}, "cpu")[0].expand({4, 3, 32, 32}) * at::arange(4).view({4, 1, 1, 1});
  const at::Tensor plain = LoadResNet20(false).Forward({images}), folded = LoadResNet20(true).Forward({images});
  EXPECT_LE(MaxDifference(folded, plain), 1e-3);
  EXPECT_GT(plain.abs().max().item<float>(), 1);
  EXPECT_TRUE(LoadResNet20(true).left_in_float().empty());
  EXPECT_EQ(LoadResNet20(false).left_in_float().size(), 19u);
}

}  // namespace
}  // namespace bitplan::test
