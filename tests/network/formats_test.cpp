// One network in three formats: what `inspect` tells of its layers is the same.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <tuple>

#include "network/model_case.h"

namespace bitplan::test {
namespace {

namespace fs = std::filesystem;

/// Name, elements of the weight, MACs, shapes, and the first layer that reads the same tensor.
using Told = std::tuple<std::string, std::int64_t, std::int64_t, std::vector<std::int64_t>, std::vector<std::int64_t>,
                        std::string>;

std::vector<Told> ToldOf(const ModelCase& model, const fs::path& file) {
  NetworkOptions options;
  options.fold_batch_norm = model.expected().at("foldable").get<bool>();
  options.output = model.AnyOutput();
  const Network network = Network::Load(file, options);
  const NetworkSummary summary = Summarize(network, model.SampleInputs());
  std::vector<Told> told;
  for (std::size_t i = 0; i < network.layers().size(); ++i) {
    const Layer& layer = network.layers()[i];
    std::string tied;
    for (const Layer& other : network.layers())
      if (layer.tied_group >= 0 && other.tied_group == layer.tied_group && tied.empty()) tied = other.name;
    told.emplace_back(layer.name, network.Weight(layer).numel(), summary.layers[i].macs, summary.layers[i].input_shape,
                      summary.layers[i].output_shape, tied);
  }
  return told;
}

/// Not of "conv2d": exporters pad for it by an operator of its own, and the layer reads what is padded.
TEST(Formats, TellTheSameLayersShapesMacsAndTies) {
  const fs::path folder = fs::path(BITPLAN_TEST_DIR) / "network";
  const auto kinds_in = [&](const fs::path& list, const std::string& name) {
    std::ifstream stream(folder / list);
    return nlohmann::json::parse(stream).at(name).get<std::vector<std::string>>();
  };
  for (const std::string name :
       {"small_resnet", "conv1d", "conv3d", "conv_transpose2d", "mlp", "called_twice", "shared_input",
        "linear_on_sequence", "own_attention", "bn_after_each_layer", "in_place_residual", "token_classifier"}) {
    const ModelCase model(name);
    const std::vector<Told> expected = ToldOf(model, ModelPath(name + ".scripted.pt"));
    for (const std::string& kind : kinds_in("exported/archives.json", name)) {
      SCOPED_TRACE(name + "." + kind + ".pt2");
      EXPECT_EQ(ToldOf(model, folder / "exported" / (name + "." + kind + ".pt2")), expected);
    }
    for (const std::string& kind : kinds_in("onnx/exports/files.json", name)) {
      SCOPED_TRACE(name + "." + kind + ".onnx");
      EXPECT_EQ(ToldOf(model, folder / "onnx" / "exports" / (name + "." + kind + ".onnx")), expected);
    }
  }
}

}  // namespace
}  // namespace bitplan::test
