// Every file of make_onnx.py against what is known of the same model as TorchScript.

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "bitplan/network.h"
#include "network/model_case.h"

namespace bitplan::test {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

fs::path OnnxFolder() { return fs::path(BITPLAN_TEST_DIR) / "network" / "onnx" / "exports"; }

/// Names of models, and the kinds of file that each has.
const json& OnnxFiles() {
  static const json files = [] {
    std::ifstream file(OnnxFolder() / "files.json");
    return json::parse(file);
  }();
  return files;
}

Network LoadOnnx(const ModelCase& model, const std::string& kind, bool fold_batch_norm, const std::string& output) {
  NetworkOptions options;
  options.fold_batch_norm = fold_batch_norm && model.expected().at("foldable").get<bool>();
  options.output = output;
  options.samples_first = false;
  return Network::Load(OnnxFolder() / (model.name() + "." + kind + ".onnx"), options);
}

void ForEachOnnxFile(const std::function<void(const ModelCase&, const std::string&)>& check) {
  for (const auto& [name, kinds] : OnnxFiles().items()) {
    const ModelCase model(name);
    for (const std::string kind : kinds) {
      SCOPED_TRACE(name + "." + kind);
      try {
        check(model, kind);
      } catch (const std::exception& error) {
        ADD_FAILURE() << error.what();
      }
    }
  }
}

/// Outputs are selected by their place: names of a dict's entries are not in the file.
bool IsByName(const std::string& selector) { return selector.find_first_not_of("0123456789.") != std::string::npos; }

TEST(OnnxModel, GivesTheOutputOfPyTorchRunAfterRun) {
  std::size_t files = 0;
  ForEachOnnxFile([&](const ModelCase& model, const std::string& kind) {
    ++files;
    for (const bool fold : {false, true}) {
      for (const auto& [selector, expected] : model.expected().at("outputs").items()) {
        if (IsByName(selector)) continue;
        const Network network = LoadOnnx(model, kind, fold, selector);
        const std::vector<at::Tensor> inputs = model.Inputs();
        const at::Tensor wanted = ToTensor(expected).to(at::kDouble);
        const double tolerance = model.expected().at("tolerance").get<double>() *
                                 std::max(1.0, wanted.abs().max().item<double>()) * (fold ? 5 : 1);
        const at::Tensor first = network.Forward(inputs);
        EXPECT_LE(MaxDifference(first, wanted), tolerance) << "output " << selector;
        EXPECT_TRUE(at::equal(network.Forward(inputs), first)) << "the second run differs";
      }
    }
  });
  EXPECT_GE(files, 100U);
}

/// By the names that the file gives them, where these can be names of fields.
TEST(OnnxModel, HasItsOutputsByName) {
  const ModelCase model("tuple_output");
  const auto names = [&](const std::string& kind) {
    std::vector<std::string> found;
    for (const NamedOutput& output : LoadOnnx(model, kind, false, "all").Outputs(model.Inputs()))
      found.push_back(output.name);
    return found;
  };
  EXPECT_EQ(names("exported"), (std::vector<std::string>{"linear_1", "linear_2"}));
  EXPECT_EQ(names("traced"), (std::vector<std::string>{"0", "1"}));  // where they are 9 and 10
  EXPECT_TRUE(at::equal(LoadOnnx(model, "exported", false, "linear_2").Forward(model.Inputs()),
                        LoadOnnx(model, "exported", false, "1").Forward(model.Inputs())));
}

/// Exporters put products with a transposed weight in the place of linear layers: the weight's elements, not its axes.
TEST(OnnxModel, HasTheLayersOfTheModule) {
  std::size_t checked = 0;
  for (const char* const name : {"small_resnet", "mlp", "conv1d", "conv2d", "conv3d", "conv_transpose2d"}) {
    const ModelCase model(name);
    for (const std::string kind : OnnxFiles().at(name)) {
      SCOPED_TRACE(std::string(name) + "." + kind);
      std::vector<std::pair<std::string, std::int64_t>> found, expected;
      const Network network = LoadOnnx(model, kind, false, model.AnyOutput());
      for (const Layer& layer : network.layers()) found.emplace_back(layer.name, network.Weight(layer).numel());
      for (const json& layer : model.expected().at("layers"))
        expected.emplace_back(layer.at("name"),
                              c10::multiply_integers(layer.at("weight").get<std::vector<std::int64_t>>()));
      EXPECT_EQ(found, expected);
      ++checked;
    }
  }
  EXPECT_GE(checked, 12U);
}

/// Several nodes are one module's layers and directions; PyTorch's names for them.
TEST(OnnxModel, HasTheNamesOfPyTorchInRecurrentLayers) {
  const ModelCase model("lstm_bidirectional");
  for (const std::string kind : OnnxFiles().at("lstm_bidirectional")) {
    SCOPED_TRACE(kind);
    const Network network = LoadOnnx(model, kind, false, model.AnyOutput());
    std::set<std::string> names, parameters;
    for (const Layer& layer : network.layers()) names.insert(layer.name);
    for (const Parameter& parameter : network.parameters()) parameters.insert(parameter.name);
    EXPECT_EQ(names.size(), network.layers().size());
    EXPECT_EQ(parameters.size(), network.parameters().size());
    for (const json& layer : model.expected().at("layers"))
      EXPECT_TRUE(names.contains(layer.at("name").get<std::string>())) << layer.at("name");
  }
}

/// Also of those that were exported for one number of samples.
TEST(OnnxModel, TakesAnyNumberOfSamples) {
  const ModelCase model("small_resnet");
  const at::Tensor inputs = model.Inputs()[0];
  for (const std::string kind : OnnxFiles().at("small_resnet")) {
    SCOPED_TRACE(kind);
    const Network network = Network::Load(OnnxFolder() / ("small_resnet." + kind + ".onnx"));
    const at::Tensor all = network.Forward({inputs});
    for (const std::int64_t samples : {1, 2, 7}) {
      const at::Tensor some = inputs.repeat({3, 1, 1, 1}).narrow(0, 0, samples);
      const at::Tensor wanted = all.repeat({3, 1}).narrow(0, 0, samples).to(at::kDouble);
      EXPECT_LE(MaxDifference(network.Forward({some}), wanted), 1e-4) << samples;
    }
  }
}

/// Of make_bad_onnx.py.
TEST(OnnxModel, ThatHasNoMeaningAsANetworkIsRefusedByTheNodeInOneLine) {
  const fs::path folder = OnnxFolder().parent_path() / "refused";
  std::ifstream stream(folder / "refused.json");
  const json refused = json::parse(stream);
  ASSERT_GE(refused.size(), 16U);
  for (const auto& [name, parts] : refused.items()) {
    const std::string message = MessageOf([&, path = folder / name] { Network::Load(path); });
    EXPECT_TRUE(IsOneLine(message)) << name << ": " << message;
    EXPECT_THAT(message, testing::HasSubstr(name));
    for (const json& part : parts) EXPECT_THAT(message, testing::HasSubstr(part.get<std::string>()));
  }
}

}  // namespace
}  // namespace bitplan::test
