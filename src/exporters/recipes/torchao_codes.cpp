#include <ATen/ATen.h>
#include <fmt/format.h>

#include "bitplan/error.h"
#include "recipes/recipe.h"
#include "recipes/recipes.h"
#include "safetensors.h"

namespace bitplan::exporters {

namespace {

using nlohmann::ordered_json;

/// Parameters of a model by their names, weights as torchao's IntxUnpackedToInt8Tensor: codes −2^{b−1} … 2^{b−1} − 1 in
/// bytes, zero points on that grid.
class TorchAoCodes : public Recipe {
 public:
  TorchAoCodes()
      : Recipe("torchao-safetensors", "a state dict with torchao's IntxUnpackedToInt8Tensor: own codes and scales") {}

  ExporterTraits Traits(std::string_view /*flavor*/) const override {
    ExporterTraits traits;
    traits.weights = {{1, 2, 3, 4, 5, 6, 7, 8},
                      {Scheme::Symmetric, Scheme::Asymmetric, Scheme::Unsigned},
                      {},
                      {Granularity::Channel, Granularity::Group}};
    traits.weights.narrow = true;
    traits.layer_ops = {"linear"};
    traits.values = true;
    return traits;
  }

  void Write(const QuantizedNetwork& network, const ExportOptions& options, const ByteSink& sink) const override;
};

std::string TypeOfCodes(const QuantizedTensor& weight) {
  const auto type = [](const std::string& name) { return ordered_json{{"_type", "torch.dtype"}, {"_data", name}}; };
  const std::int64_t block = weight.q.size(1) / (weight.scale.numel() / weight.q.size(0));
  const ordered_json json = {{"_type", "IntxUnpackedToInt8Tensor"},
                             {"_data",
                              {{"target_dtype", type(fmt::format("int{}", weight.format.bits))},
                               {"block_size", {1, block}},
                               {"dtype", type("float32")},
                               {"activation_quantization", nullptr}}},
                             {"_tensor_data_names", {"qdata", "scale", "zero_point"}}};
  return json.dump();
}

void TorchAoCodes::Write(const QuantizedNetwork& network, const ExportOptions& /*options*/,
                         const ByteSink& sink) const {
  const std::vector<Layer>& layers = network.network().layers();
  std::map<std::string, std::size_t> layer_of_weight;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (!network.weights()[i].format.HasScale()) continue;
    ModuleOf(network.network(), layers[i], name());
    layer_of_weight[WeightName(network.network(), layers[i])] = i;
    for (const LayerUse& use : layers[i].uses)
      if (network.shifts().contains(use.output_site))
        throw Error(fmt::format("layer {}: {} has no place for the output correction of a layer without a bias",
                                layers[i].name, name()));
  }
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  std::map<std::string, std::string> metadata;
  ordered_json names = ordered_json::array();
  const std::vector<Parameter>& parameters = network.network().parameters();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const std::string& parameter = parameters[i].name;
    names.push_back(parameter);
    const auto layer = layer_of_weight.find(parameter);
    if (layer == layer_of_weight.end()) {
      metadata[parameter] = R"({"_type": "Tensor"})";
      tensors.emplace_back(parameter, network.parameters()[i]);
      continue;
    }
    const QuantizedTensor& weight = network.weights()[layer->second];
    const int middle = weight.format.scheme == Scheme::Symmetric ? 0 : 1 << (weight.format.bits - 1);
    const std::int64_t rows = weight.q.size(0);
    const std::string prefix = ModuleOf(network.network(), layers[layer->second], name()) + "._weight_";
    metadata[parameter] = TypeOfCodes(weight);
    tensors.emplace_back(prefix + "qdata", (weight.q.to(at::kInt) - middle).to(at::kChar));
    tensors.emplace_back(prefix + "scale", weight.scale.view({rows, -1}));
    tensors.emplace_back(prefix + "zero_point", (weight.zero_point.view({rows, -1}) - middle).to(at::kChar));
  }
  metadata["tensor_names"] = names.dump();
  WriteSafetensors(tensors, metadata, sink);
}

}  // namespace

std::shared_ptr<const Exporter> TorchAoCodesRecipe() { return std::make_shared<TorchAoCodes>(); }

}  // namespace bitplan::exporters
