#include "quantize/quantized_weights.h"

#include <gmock/gmock.h>
#include <torch/types.h>

#include <limits>

#include "bitplan/error.h"
#include "quantize/networks.h"

namespace bitplan::quantize {
namespace {

TEST(QuantizedWeights, AreThoseThatQuantizeWeightGivesWidthByWidth) {
  const Network network = LoadModel("Chain");
  const std::vector<int> widths = {8, 2, 16, 5};
  for (const Format& format : {DefaultWeightFormat(), DefaultActivationFormat()}) {
    const QuantizedWeights weights(network, format, widths);
    for (std::size_t i = 0; i < network.layers().size(); ++i)
      for (const int bits : {2, 5, 8, 16, 32}) {
        const Layer& layer = network.layers()[i];
        const QuantizedTensor expected =
            QuantizeWeight(network.Weight(layer), format.WithBits(bits), layer.channel_axis);
        const QuantizedTensor actual = weights.At(i, bits);
        EXPECT_EQ(actual.format, expected.format);
        EXPECT_EQ(actual.channel_axis, expected.channel_axis);
        EXPECT_TRUE(torch::equal(actual.value, expected.value));
        EXPECT_EQ(actual.q.defined(), expected.q.defined());
        EXPECT_TRUE(!expected.q.defined() || torch::equal(actual.q, expected.q));
        EXPECT_TRUE(!expected.scale.defined() || torch::equal(actual.scale, expected.scale));
      }
  }
}

TEST(QuantizedWeights, NameTheLayerThatCannotBeQuantized) {
  const Network network = LoadModel("Chain");
  const auto naming = [&](const std::string& what) {
    return testing::ThrowsMessage<Error>(
        testing::AllOf(testing::HasSubstr(network.layers()[0].name), testing::HasSubstr(what)));
  };
  at::Tensor weight = network.Weight(network.layers()[0]);  // of this network's own
  weight.view(-1)[0] = 1e6;
  EXPECT_THAT([&] { QuantizedWeights(network, DefaultWeightFormat(), {16}).At(0, 16); }, naming("65504"));
  weight.view(-1)[0] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT([&] { QuantizedWeights(network, DefaultWeightFormat(), {4}); }, naming("NaN"));
}

}  // namespace
}  // namespace bitplan::quantize
