// Placements beside lists written by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bitplan/error.h"
#include "target/models.h"

namespace bitplan::test {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::vector<std::string> Sorted(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  return names;
}

TEST(Placement, OfTheSixTargetsQuantizesEveryLayerOfAResidualNetwork) {
  const Network network = ResNet20();
  for (const char* name : {"academic", "tensorrt", "fbgemm", "tvm", "acl", "snpe"}) {
    const Placement placement = Place(network, ReadTarget(name));
    EXPECT_THAT(placement.weights, SizeIs(20)) << name;
    for (const Layer& layer : network.layers())
      EXPECT_NE(TensorRead(placement, layer.name + ".input"), nullptr) << name << ' ' << layer.name;
    for (const PlacedTensor& tensor : placement.tensors) EXPECT_EQ(tensor.format.bits, 8);
  }
}

TEST(Placement, ThatLeavesAdditionsAloneQuantizesInputsOfLayersOnly) {
  const Network network = ResNet20();
  for (const char* name : {"academic", "acl"}) {
    const Target target = ReadTarget(name);
    EXPECT_THAT(PlacedOperands(network, target), IsEmpty());
    EXPECT_THAT(Place(network, target).tensors, SizeIs(20));
    EXPECT_THAT(WhyInFloat(Place(network, target), "add_3.1"), HasSubstr("computes add in float")) << name;
  }
}

TEST(Placement, OfOneOperandQuantizesTheShortcutOnTheGridThatTheConvolutionReads) {
  const Network network = ResNet20();
  const Target target = ReadTarget("tensorrt");
  EXPECT_THAT(PlacedOperands(network, target),
              ElementsAreArray(Sorted({"add_0.1", "add_1.1", "add_2.1", "add_3.1", "add_4.1", "add_5.1", "add_6.1",
                                       "add_7.1", "add_8.1", "avg_pool_0.0"})));
  const Placement placement = Place(network, target);
  const PlacedTensor* const shortcut = TensorRead(placement, "add_1.1");  // of layer1.1: the identity
  ASSERT_NE(shortcut, nullptr);
  EXPECT_THAT(shortcut->readers, ElementsAre("layer1.1.conv1", "add_1"));
  EXPECT_THAT(shortcut->sites, ElementsAre("layer1.1.conv1.input", "add_1.1"));
  const PlacedTensor* const padded = TensorRead(placement, "add_3.1");  // of layer2.0: another tensor, padded
  ASSERT_NE(padded, nullptr);
  EXPECT_THAT(padded->readers, ElementsAre("add_3"));
  EXPECT_THAT(WhyInFloat(placement, "add_1.0"), HasSubstr("in the accumulator of layer1.1.conv2"));
  EXPECT_THAT(placement.tensors, SizeIs(20 + 2 + 1));  // inputs of layers, padded shortcuts, the pooled tensor
}

TEST(Placement, OfBothOperandsQuantizesWhatConvolutionsGiveToAdditions) {
  const Network network = ResNet20();
  for (const char* name : {"fbgemm", "tvm", "snpe"}) {
    const Target target = ReadTarget(name);
    EXPECT_THAT(PlacedOperands(network, target), SizeIs(9 * 2 + 1)) << name;
    const Placement placement = Place(network, target);
    EXPECT_THAT(placement.tensors, SizeIs(20 + 9 + 2 + 1)) << name;
    EXPECT_THAT(placement.left_in_float, IsEmpty()) << name;
    ASSERT_NE(TensorRead(placement, "add_1.0"), nullptr);
    EXPECT_THAT(TensorRead(placement, "add_1.0")->readers, ElementsAre("add_1"));
  }
}

/// The operands of both layers of the encoder, from those of the first.
std::vector<std::string> InBothLayers(const std::vector<std::tuple<std::string, int, int>>& first) {
  const std::map<std::string, int> in_a_layer{{"matmul", 2}, {"softmax", 1}, {"add", 2}, {"gelu", 1}};
  std::vector<std::string> names;
  for (const int layer : {0, 1})
    for (const auto& [op, number, operand] : first)
      names.push_back(op + "_" + std::to_string(number + layer * in_a_layer.at(op)) + "." + std::to_string(operand));
  return Sorted(names);
}

TEST(Placement, OfAnEncoderFollowsTheThreePatterns) {
  using Operands = std::vector<std::tuple<std::string, int, int>>;
  const Operands products{{"matmul", 0, 0}, {"matmul", 0, 1}, {"matmul", 1, 0}, {"matmul", 1, 1}};
  Operands residual = products, all;
  for (const int add : {1, 2})
    for (const int operand : {0, 1}) residual.push_back({"add", add, operand});
  all = residual;
  all.push_back({"softmax", 0, 0});
  all.push_back({"gelu", 0, 0});
  for (const char* kind : {"scripted", "traced"}) {
    const Network network = Bert(kind);
    EXPECT_EQ(PlacedOperands(network, ReadTarget("demobert")), InBothLayers(products)) << kind;
    EXPECT_EQ(PlacedOperands(network, ReadTarget("demobert-residual")), InBothLayers(residual)) << kind;
    EXPECT_EQ(PlacedOperands(network, ReadTarget("fastertransformer")), InBothLayers(all)) << kind;
  }
}

TEST(Placement, OfAnEncoderKeepsEmbeddingsAndLayerNormsInFloat) {
  const Network network = Bert();
  const Placement placement = Place(network, ReadTarget("fastertransformer"));
  EXPECT_THAT(placement.weights, SizeIs(12));
  EXPECT_THAT(WhyInFloat(placement, "add_0.0"), HasSubstr("embeddings"));
  EXPECT_THAT(WhyInFloat(placement, "layer_norm_1.0"), HasSubstr("computes layer_norm in float"));
  const auto embedding = std::find_if(placement.left_in_float.begin(), placement.left_in_float.end(),
                                      [](const LeftInFloat& left) { return left.reader == "token"; });
  ASSERT_NE(embedding, placement.left_in_float.end());
  EXPECT_THAT(embedding->reason, HasSubstr("no embedding"));
}

TEST(Placement, OfQueryKeyAndValueQuantizesTheirCommonInputOnce) {
  const Network network = Bert();
  const Placement placement = Place(network, ReadTarget("demobert-residual"));
  const PlacedTensor* const input = TensorRead(placement, "add_1.1");  // the residual is what the layer reads
  ASSERT_NE(input, nullptr);
  EXPECT_THAT(input->readers,
              ElementsAre("layer.0.attention.query", "layer.0.attention.key", "layer.0.attention.value", "add_1"));
}

TEST(Placement, NeedsTheSitesOfOperands) {
  try {
    Place(Network::Load(Cifar10("resnet20.pt")), ReadTarget("tensorrt"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("operand_sites"));
  }
}

TEST(Placement, FollowsTheRulesOfFirstAndLastLayer) {
  const Network network = ResNet20();
  Target target = ReadTarget("academic");
  target.layers["conv2d"] = {{4}, {4}};
  target.layers["linear"] = {{4}, {4}};
  const Placement placement = Place(network, target);
  for (const PlacedWeight& weight : placement.weights)
    EXPECT_EQ(weight.format.bits, weight.layer == "conv1" || weight.layer == "linear" ? 8 : 4) << weight.layer;
  EXPECT_EQ(TensorRead(placement, "conv1.input")->format.bits, 8);
  EXPECT_EQ(TensorRead(placement, "linear.input")->format.bits, 8);
  EXPECT_EQ(TensorRead(placement, "layer3.1.conv2.input")->format.bits, 4);
}

std::size_t CountIn(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST(Drawing, HasALongEdgeForEveryShortcutAndNoOther) {
  const Network network = Bert(), residual = ResNet20();
  EXPECT_EQ(CountIn(ToSvg(network, Place(network, ReadTarget("demobert"))), "<polyline"),
            2U * 3);  // two residuals and the values
  EXPECT_EQ(CountIn(ToSvg(residual, Place(residual, ReadTarget("acl"))), "<polyline"), 9U);
}

TEST(Drawing, MarksEveryQuantizedReadAndNamesEveryLayer) {
  const Network network = ResNet20();
  const Placement placement = Place(network, ReadTarget("tensorrt"));
  const std::string svg = ToSvg(network, placement);
  const auto count = [&](const std::string& part) { return CountIn(svg, part); };
  std::size_t reads = 0;
  for (const PlacedTensor& tensor : placement.tensors) reads += tensor.sites.size();
  EXPECT_EQ(count("<polygon"), reads + 1);  // and the legend's
  for (const Layer& layer : network.layers()) EXPECT_EQ(count("<title>" + layer.name + " ("), 1U) << layer.name;
  EXPECT_EQ(svg, ToSvg(network, placement));
}

}  // namespace
}  // namespace bitplan::test
