// Plans made on one file of a network, applied to others: of make_models.py (TorchScript), make_exported.py (.pt2) and
// make_onnx.py, batch norm folded by the exporter or not.
#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "bitplan/configuration.h"
#include "bitplan/plan_match.h"
#include "network/model_case.h"
#include "quantize/networks.h"

namespace bitplan::quantize {
namespace {

using test::ModelCase;
using ::testing::AllOf;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

/// All files of a case, the TorchScript ones first.
std::vector<fs::path> FilesOf(const ModelCase& model) {
  const fs::path folder = fs::path(BITPLAN_TEST_DIR) / "network";
  const auto kinds_in = [&](const fs::path& list) {
    std::ifstream stream(folder / list);
    const auto all = nlohmann::json::parse(stream);
    const auto found = all.find(model.name());
    return found == all.end() ? std::vector<std::string>{} : found->get<std::vector<std::string>>();
  };
  std::vector<fs::path> files;
  for (const std::string& kind : model.kinds()) files.push_back(test::ModelPath(model.name() + "." + kind + ".pt"));
  for (const std::string& kind : kinds_in("exported/archives.json"))
    files.push_back(folder / "exported" / (model.name() + "." + kind + ".pt2"));
  for (const std::string& kind : kinds_in("onnx/exports/files.json"))
    files.push_back(folder / "onnx" / "exports" / (model.name() + "." + kind + ".onnx"));
  return files;
}

Network LoadFile(const ModelCase& model, const fs::path& file) {
  NetworkOptions options;
  options.fold_batch_norm = model.expected().at("foldable").get<bool>();
  options.output = model.AnyOutput();
  options.samples_first = false;
  return Network::Load(file, options);
}

/// Magnitudes of a layer's weight over the norms of their channels, in rising order: the same however it lies, and
/// whatever batch norm is folded into it.
at::Tensor SortedWeight(const Network& network, const std::string& name) {
  const Layer& layer = network.layers()[static_cast<std::size_t>(test::LayerIndex(network, name))];
  const at::Tensor channels = network.Weight(layer).detach().to(at::kDouble).movedim(layer.channel_axis, 0).flatten(1);
  return std::get<0>((channels / channels.norm(2, 1, true)).abs().flatten().sort());
}

/// A plan that tells its layers apart by their learned scales.
Plan PlanOfFile(const Network& network) {
  Configuration configuration;
  configuration.weight = DefaultWeightFormat().WithBits(4);
  Plan plan = MakeConfiguredPlan(network, configuration);
  for (std::size_t i = 0; i < plan.layers.size(); ++i)
    plan.layers[i].learned_weight.emplace().scales = {1.0 + static_cast<double>(i)};
  return plan;
}

void ExpectSameWeights(const Network& network, const Network& made_on, const Plan& plan) {
  const AdaptedPlan adapted = AdaptPlan(network, plan);
  ASSERT_EQ(adapted.plan.layers.size(), network.layers().size());
  for (std::size_t i = 0; i < network.layers().size(); ++i) {
    const LayerPlan& layer = adapted.plan.layers[i];
    EXPECT_EQ(layer.name, network.layers()[i].name);
    const auto made = static_cast<std::size_t>(layer.learned_weight->scales[0]) - 1;
    EXPECT_LE(test::MaxDifference(SortedWeight(network, layer.name), SortedWeight(made_on, plan.layers[made].name)),
              1e-5)
        << layer.name;
    const auto by_value = adapted.by_value.find(layer.name);
    EXPECT_EQ(by_value == adapted.by_value.end() ? layer.name : by_value->second, plan.layers[made].name);
  }
  EXPECT_TRUE(AdaptPlan(network, adapted.plan).by_value.empty());
}

TEST(AdaptPlan, AppliesToEveryFileOfTheSameNetwork) {
  for (const char* const name : {"small_resnet", "conv1d", "conv_transpose2d", "linear_on_sequence", "tied_embedding",
                                 "called_twice", "shared_input", "gru", "own_attention", "bn_after_each_layer",
                                 "bn_bias_of_two_layers", "bn_conv_called_twice", "weight_norm", "encoder", "half"}) {
    const ModelCase model(name);
    const std::vector<fs::path> files = FilesOf(model);
    ASSERT_GE(files.size(), 4U);
    const Network made_on = LoadFile(model, files[0]);
    const Plan plan = PlanOfFile(made_on);
    for (const fs::path& file : files) {
      SCOPED_TRACE(file.filename().string());
      const Network network = LoadFile(model, file);
      ExpectSameWeights(network, made_on, plan);
      ExpectSameWeights(made_on, network, PlanOfFile(network));
    }
  }
}

TEST(AdaptPlan, OfOtherWeightsUnderTheSameNamesIsRefused) {
  const ModelCase model("small_resnet");
  const Network network = model.Load("scripted");
  std::vector<at::Tensor> values = network.ParameterValues();
  at::Tensor& weight = values[static_cast<std::size_t>(network.layers()[2].weight)];
  const auto refusal = [&](const at::Tensor& changed) {
    weight = changed;
    Plan plan = PlanOfFile(network.WithParameters(values));
    plan.weights_sha256 = std::string(64, 'a');
    return MessageOf([&] { AdaptPlan(network, plan); });
  };
  const at::Tensor own = weight;
  EXPECT_EQ(refusal(own * (1 + 1e-6)), "no error");
  EXPECT_EQ(refusal(own * at::linspace(-2, -0.5, own.size(0)).view({-1, 1, 1, 1})),
            "no error");  // as folding leaves it
  for (const at::Tensor& other : {own.flip(1), own + 0.01, own.transpose(2, 3)})
    EXPECT_THAT(refusal(other), AllOf(HasSubstr("another model's: it was made for weights with SHA-256 aaaaaaaaaaaa"),
                                      HasSubstr("of layer " + network.layers()[2].name)));
}

/// As a file has them in which a tied weight stands twice.
TEST(AdaptPlan, GivesAWeightThatStandsTwiceInOneOfTheFilesOneFormat) {
  const ModelCase model("tied_embedding");
  const Network network = model.Load("scripted");
  Plan plan = PlanOfFile(network);
  plan.weights_sha256 = std::string(64, 'a');
  plan.layers.push_back(plan.layers[0]);
  plan.layers.back().name = "head";
  plan.layers[0].activation = plan.layers[0].activation.WithBits(32);
  plan.layers.back().activation = DefaultActivationFormat().WithBits(8);
  const Plan adapted = AdaptPlan(network, plan).plan;
  ASSERT_EQ(adapted.layers.size(), network.layers().size());
  EXPECT_EQ(adapted.layers[0].activation.bits, 8);
  plan.layers.back().weight = plan.layers[0].weight.WithBits(2);
  EXPECT_THAT(MessageOf([&] { AdaptPlan(network, plan); }), HasSubstr("are one weight in this file"));
}

}  // namespace
}  // namespace bitplan::quantize
