// Every archive of make_exported.py against what is known of the same model as TorchScript.

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>

#include "bitplan/network.h"
#include "network/model_case.h"

namespace bitplan::test {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

fs::path ExportedFolder() { return fs::path(BITPLAN_TEST_DIR) / "network" / "exported"; }

/// An archive, and what is expected of its model.
struct Archive {
  const ModelCase& model;
  std::string kind;

  Network Load(bool fold_batch_norm, const std::string& output) const {
    NetworkOptions options;
    options.fold_batch_norm = fold_batch_norm && model.expected().at("foldable").get<bool>();
    options.output = output;
    options.samples_first = false;
    return Network::Load(ExportedFolder() / (model.name() + "." + kind + ".pt2"), options);
  }
};

void ForEachArchive(const std::function<void(const Archive&)>& check) {
  std::ifstream file(ExportedFolder() / "archives.json");
  const json archives = json::parse(file);
  ASSERT_GE(archives.size(), 90U);
  for (const auto& [name, kinds] : archives.items()) {
    const ModelCase model(name);
    for (const std::string kind : kinds) {
      SCOPED_TRACE(name + "." + kind);
      try {
        check({model, kind});
      } catch (const std::exception& error) {
        ADD_FAILURE() << error.what();
      }
    }
  }
}

TEST(ExportedProgram, GivesTheOutputOfPyTorchRunAfterRun) {
  ForEachArchive([](const Archive& archive) {
    for (const bool fold : {false, true}) {
      for (const auto& [selector, expected] : archive.model.expected().at("outputs").items()) {
        const Network network = archive.Load(fold, selector);
        const std::vector<at::Tensor> inputs = archive.model.Inputs();
        const at::Tensor wanted = ToTensor(expected).to(at::kDouble);
        const double tolerance = archive.model.expected().at("tolerance").get<double>() *
                                 std::max(1.0, wanted.abs().max().item<double>()) * (fold ? 5 : 1);
        const at::Tensor first = network.Forward(inputs);
        EXPECT_LE(MaxDifference(first, wanted), tolerance) << "output " << selector;
        EXPECT_TRUE(at::equal(network.Forward(inputs), first)) << "the second run differs";
      }
    }
  });
}

json LayersOf(const Network& network) {
  json layers = json::array();
  for (const Layer& layer : network.layers())
    layers.push_back({{"name", layer.name},
                      {"op", layer.op},
                      {"weight", network.Weight(layer).sizes().vec()},
                      {"channel_axis", layer.channel_axis}});
  return layers;
}

TEST(ExportedProgram, HasTheLayersOfTheModule) {
  ForEachArchive([](const Archive& archive) {
    if (archive.kind == "core") return;
    json expected = archive.model.expected().at("layers");
    for (json& layer : expected) layer.erase("macs");
    EXPECT_EQ(LayersOf(archive.Load(false, archive.model.AnyOutput())).dump(1), expected.dump(1));
  });
}

/// Decomposing turns recurrent layers into linear ones, and puts a product with its weight on the other side.
TEST(ExportedProgram, HasTheLayersOfTheModuleAfterItWasDecomposed) {
  ForEachArchive([](const Archive& archive) {
    if (archive.kind != "core") return;
    std::map<std::string, std::int64_t> found;
    const Network network = archive.Load(false, archive.model.AnyOutput());
    for (const Layer& layer : network.layers()) found[layer.name] = network.Weight(layer).numel();
    for (const json& layer : archive.model.expected().at("layers")) {
      const std::vector<std::int64_t> sizes = layer.at("weight");
      EXPECT_EQ(found[layer.at("name")], c10::multiply_integers(sizes)) << layer;
    }
  });
}

/// Of convolutions and linear layers also the operator and the order, of all that have only these.
TEST(ExportedProgram, HasConvolutionsAndLinearLayersAsBeforeItWasDecomposed) {
  std::size_t checked = 0;
  for (const char* const name : {"small_resnet", "mlp", "conv1d", "conv2d", "conv3d", "conv_transpose2d", "encoder",
                                 "encoder_norm_first", "own_attention", "token_classifier", "linear_on_sequence"}) {
    SCOPED_TRACE(name);
    const ModelCase model(name);
    const std::string output = model.AnyOutput();
    EXPECT_EQ(LayersOf(Archive{model, "core"}.Load(true, output)).dump(1),
              LayersOf(Archive{model, "plain"}.Load(true, output)).dump(1));
    ++checked;
  }
  EXPECT_EQ(checked, 11U);
}

std::vector<std::string> BiasesOf(const Network& network) {
  std::vector<std::string> biases;
  for (const Layer& layer : network.layers())
    biases.push_back(layer.bias < 0 ? "" : network.parameters()[static_cast<std::size_t>(layer.bias)].name);
  return biases;
}

/// Down to the last bit, as inputs are quantized otherwise that differ in it.
TEST(ExportedProgram, ComputesTheSameBitsAndBiasesAfterItWasDecomposed) {
  for (const char* const name :
       {"small_resnet", "mlp", "encoder", "encoder_norm_first", "encoder_masked", "own_attention", "attention",
        "cross_attention", "scaled_dot_product", "scaled_dot_product_causal", "scaled_dot_product_scaled",
        "linear_on_sequence", "token_classifier"}) {
    SCOPED_TRACE(name);
    const ModelCase model(name);
    const std::string output = model.AnyOutput();
    const Network plain = Archive{model, "plain"}.Load(true, output), core = Archive{model, "core"}.Load(true, output);
    EXPECT_EQ(BiasesOf(core), BiasesOf(plain));
    EXPECT_EQ(MaxDifference(core.Forward(model.Inputs()), plain.Forward(model.Inputs())), 0);
  }
}

TEST(ExportedProgram, IsReadInTheContainersOfEarlierVersions) {
  const ModelCase model("small_resnet");
  for (const char* const layout : {"flat.pt2", "pickled.pt2"}) {
    SCOPED_TRACE(layout);
    const Network network = Network::Load(ExportedFolder() / "layouts" / layout, {.output = model.AnyOutput()});
    const at::Tensor wanted = ToTensor(model.expected().at("outputs").at(model.AnyOutput())).to(at::kDouble);
    EXPECT_LE(MaxDifference(network.Forward(model.Inputs()), wanted), 1e-4);
    EXPECT_EQ(
        network.weights_sha256(),
        Network::Load(ExportedFolder() / "small_resnet.plain.pt2", {.output = model.AnyOutput()}).weights_sha256());
  }
}

NetworkOptions Unfolded(const std::string& output) {
  NetworkOptions options;
  options.output = output;
  options.fold_batch_norm = options.samples_first = false;
  return options;
}

/// Of make_exported_earlier.py, as PyTorch 2.6, 2.7 and 2.8 wrote them.
TEST(ExportedProgram, OfEarlierVersionsOfPyTorchIsReadAsItIs) {
  std::size_t archives = 0;
  for (const auto& entry : fs::recursive_directory_iterator(ExportedFolder().parent_path() / "exported_earlier")) {
    if (entry.path().extension() != ".pt2") continue;
    SCOPED_TRACE(entry.path().string());
    ++archives;
    const std::string file = entry.path().filename().string(), name = file.substr(0, file.find('.'));
    const ModelCase model(name);
    for (const auto& [selector, expected] : model.expected().at("outputs").items()) {
      const at::Tensor wanted = ToTensor(expected).to(at::kDouble);
      const double tolerance =
          model.expected().at("tolerance").get<double>() * std::max(1.0, wanted.abs().max().item<double>());
      const Network network = Network::Load(entry.path(), Unfolded(selector));
      EXPECT_LE(MaxDifference(network.Forward(model.Inputs()), wanted), tolerance) << "output " << selector;
      std::vector<std::string> layers, expected_layers;
      for (const Layer& layer : network.layers()) layers.push_back(layer.name);
      for (const json& layer : model.expected().at("layers")) expected_layers.push_back(layer.at("name"));
      if (selector == model.AnyOutput() && file.find(".core.") == std::string::npos) {
        EXPECT_EQ(layers, expected_layers);
      }
    }
  }
  EXPECT_GE(archives, 27U);
}

/// Of make_exported_only.py.
TEST(ExportedProgram, ChoosesBetweenNumbersOfSizes) {
  NetworkOptions options;
  options.samples_first = false;
  const Network network = Network::Load(ExportedFolder().parent_path() / "exported_only" / "sym_ite.pt2", options);
  const Layer& layer = network.layers().at(0);
  const at::Tensor bias = network.parameters()[static_cast<std::size_t>(layer.bias)].value;
  for (const std::int64_t samples : {3, 4, 5, 9}) {
    const at::Tensor x = at::randn({samples, 3});
    const at::Tensor wanted = at::linear(x, network.Weight(layer), bias) / (samples > 4 ? samples : 2 * samples);
    EXPECT_LE(MaxDifference(network.Forward({x}), wanted.to(at::kDouble)), 1e-6) << samples;
  }
}

/// The file has the class, not its fields.
TEST(ExportedProgram, TellsTheFieldsOfANamedTupleByPosition) {
  const auto output = [](const std::string& selector) {
    const fs::path file = ExportedFolder().parent_path() / "exported_only" / "named_tuple.pt2";
    return Network::Load(file, {.output = selector}).Forward({at::ones({5, 3})});
  };
  EXPECT_LE(MaxDifference(output("1.more"), (output("0") + 1).to(at::kDouble)), 1e-6);
}

TEST(ExportedProgram, SaysThatItWasPutInEvalMode) {
  const auto remarks = [](const char* kind) {
    return Archive{ModelCase("small_resnet"), kind}.Load(true, "").remarks();
  };
  EXPECT_THAT(remarks("training"), testing::ElementsAre(testing::HasSubstr("training mode")));
  EXPECT_THAT(remarks("plain"), testing::IsEmpty());
}

TEST(ExportedProgram, ThatIsDamagedOrHasNoMeaningIsRefusedInOneLine) {
  std::ifstream file(ExportedFolder() / "refused" / "refused.json");
  const json refused = json::parse(file);
  ASSERT_GE(refused.size(), 25U);
  for (const auto& [name, parts] : refused.items()) {
    const std::string message = MessageOf([&, path = ExportedFolder() / "refused" / name] { Network::Load(path); });
    EXPECT_TRUE(IsOneLine(message)) << name << ": " << message;
    EXPECT_THAT(message, testing::HasSubstr(name));
    for (const json& part : parts) EXPECT_THAT(message, testing::HasSubstr(part.get<std::string>()));
  }
}

}  // namespace
}  // namespace bitplan::test
