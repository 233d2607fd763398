// Parameters of make_onnx_parameters.py: where in the file they stand, and which are one.
#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <filesystem>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "bitplan/network.h"

namespace bitplan::test {
namespace {

using testing::ElementsAre;

using Place = std::tuple<std::string, std::string, std::int64_t, std::int64_t>;  // tensor, node, its index, input

Network LoadParameters(const std::string& name) {
  NetworkOptions options;
  options.samples_first = false;
  return Network::Load(std::filesystem::path(BITPLAN_TEST_DIR) / "network" / "onnx" / "parameters" / name, options);
}

std::map<std::string, std::vector<Place>> PlacesOf(const Network& network) {
  std::map<std::string, std::vector<Place>> places;
  for (const Parameter& parameter : network.parameters())
    for (const TensorUse& use : parameter.uses)
      places[parameter.name].emplace_back(use.tensor, use.node, use.node_index, use.input);
  return places;
}

TEST(OnnxParameters, RememberTheNodesAndInputsThatReadThem) {
  const auto places = PlacesOf(LoadParameters("uses.onnx"));
  ASSERT_TRUE(places.contains("shared"));
  EXPECT_THAT(places.at("shared"), ElementsAre(Place{"shared", "first", 0, 1}, Place{"shared", "no_MatMul", -1, 1},
                                               Place{"shared", "yes_MatMul", -1, 1}));
  ASSERT_TRUE(places.contains("behind"));
  EXPECT_THAT(places.at("behind"), ElementsAre(Place{"behind", "turn", 1, 0}));
}

/// Exporters write a tied weight several times, transposed where a product wants it so.
TEST(OnnxParameters, OfEqualWeightsAreOneAndOfEqualBiasesAreTwo) {
  const Network network = LoadParameters("tied.onnx");
  const auto places = PlacesOf(network);
  EXPECT_THAT(places.at("embeddings.weight"), ElementsAre(Place{"embeddings.weight", "/embeddings/Gather", 0, 0},
                                                          Place{"onnx::MatMul_9", "/decoder/MatMul", 1, 1},
                                                          Place{"copy.weight", "/copy/MatMul", 3, 1}));
  EXPECT_THAT(places.at("decoder.bias"), ElementsAre(Place{"decoder.bias", "/decoder/Add", 2, 0}));
  EXPECT_THAT(places.at("own.bias"), ElementsAre(Place{"own.bias", "/own/Add", 5, 0}));
  EXPECT_EQ(network.parameters().size(), 4U);
}

TEST(OnnxParameters, ThatAreOneGiveTheOutputOfTheFile) {
  const Network network = LoadParameters("tied.onnx");
  std::map<std::string, at::Tensor> values;
  for (const Parameter& parameter : network.parameters()) values[parameter.name] = parameter.value.to(at::kDouble);
  const at::Tensor tokens = at::tensor({0, 6, 3, 2, 2, 5}, at::kLong).view({2, 3});
  const at::Tensor weight = values.at("embeddings.weight");
  const at::Tensor wanted = weight.index_select(0, tokens.flatten()).view({2, 3, 4}).matmul(weight.t()).matmul(weight);
  const at::Tensor output = network.Forward({tokens}).to(at::kDouble);
  EXPECT_TRUE(at::allclose(output, wanted.matmul(values.at("own.weight")), 1e-5, 1e-5));
}

}  // namespace
}  // namespace bitplan::test
