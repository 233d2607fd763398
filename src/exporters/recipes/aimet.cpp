#include <algorithm>

#include "recipes/aimet_encoding.h"
#include "recipes/recipe.h"
#include "recipes/recipes.h"
#include "recipes/tensor_names.h"

namespace bitplan::exporters {

namespace {

using nlohmann::ordered_json;

/// Encodings of AIMET: by modules, as aimet_torch loads them, or by tensors, as aimet_onnx and Qualcomm's converter do.
class Aimet : public Recipe {
 public:
  Aimet()
      : Recipe("aimet", "AIMET's encodings: scales and offsets, by modules (torch) or by ONNX's tensors, as JSON") {}

  std::vector<std::string> flavors() const override { return {"torch", "1.0.0", "2.0.0"}; }

  ExporterTraits Traits(std::string_view flavor) const override {
    const std::vector<int> widths = {2, 3, 4, 5, 6, 7, 8, 16};
    ExporterTraits traits;
    traits.weights = {widths,
                      {Scheme::Symmetric, Scheme::Asymmetric, Scheme::Unsigned},
                      {},
                      {Granularity::Tensor, Granularity::Channel}};
    if (flavor == "1.0.0" || flavor == "2.0.0") traits.weights.granularities.push_back(Granularity::Group);
    traits.inputs = {widths, {Scheme::Symmetric, Scheme::Asymmetric, Scheme::Unsigned}};
    return traits;
  }

  void Write(const QuantizedNetwork& network, const ExportOptions& options, const ByteSink& sink) const override;

  /// AIMET's own configurations have quantizers at outputs alone.
  std::vector<std::string> Remarks(const Network& network, const Plan& plan,
                                   const ExportOptions& options) const override {
    std::vector<std::string> remarks = Recipe::Remarks(network, plan, options);
    const bool has_inputs = std::any_of(plan.layers.begin(), plan.layers.end(),
                                        [](const LayerPlan& layer) { return layer.activation.HasScale(); });
    if (has_inputs)
      remarks.emplace_back(
          "encodings are of layers' inputs: give QuantizationSimModel a config_file with "
          "is_input_quantized for their operators (Conv, Gemm, MatMul)");
    return remarks;
  }
};

ordered_json ByModules(const QuantizedNetwork& network) {
  ordered_json weights = ordered_json::object(), inputs = ordered_json::object();
  const std::vector<Layer>& layers = network.network().layers();
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const QuantizedInput* const input = InputOf(network, i, "aimet");
    const bool has_scale = network.weights()[i].format.HasScale();
    if (!has_scale && !input) continue;
    const std::string module = ModuleOf(network.network(), layers[i], "aimet");
    if (has_scale)
      weights[module + ".weight"] = TorchForm(WeightEncoding(network, i, {module, layers[i].channel_axis, false}));
    if (input) inputs[module]["input"]["0"] = TorchForm(InputEncoding(*input, module))[0];
  }
  return {{"version", "0.6.1"},
          {"param_encodings", weights},
          {"activation_encodings", inputs},
          {"excluded_layers", ordered_json::array()}};
}

ordered_json ByTensors(const QuantizedNetwork& network, bool second) {
  ordered_json weights = ordered_json::array(), inputs = ordered_json::array();
  const TensorNames names(network.network(), "aimet");
  const std::vector<Layer>& layers = network.network().layers();
  const auto form = second ? SecondForm : FirstForm;
  std::vector<std::string> written;  // what several layers read is said once
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (network.weights()[i].format.HasScale()) weights.push_back(form(WeightEncoding(network, i, names.WeightOf(i))));
    const QuantizedInput* const input = InputOf(network, i, "aimet");
    if (!input) continue;
    const std::string tensor = names.InputOf(i);
    if (std::find(written.begin(), written.end(), tensor) != written.end()) continue;
    written.push_back(tensor);
    inputs.push_back(form(InputEncoding(*input, tensor)));
  }
  if (second) {
    weights.insert(weights.end(), inputs.begin(), inputs.end());
    return {{"version", "2.0.0"}, {"encodings", weights}};
  }
  return {{"version", "1.0.0"},
          {"param_encodings", weights},
          {"activation_encodings", inputs},
          {"excluded_layers", ordered_json::array()},
          {"producer", {{"name", "bitplan"}}}};
}

void Aimet::Write(const QuantizedNetwork& network, const ExportOptions& options, const ByteSink& sink) const {
  const bool by_modules = options.flavor.empty() || options.flavor == "torch";
  sink(RecipeText(by_modules ? ByModules(network) : ByTensors(network, options.flavor == "2.0.0")));
}

}  // namespace

std::shared_ptr<const Exporter> AimetRecipe() { return std::make_shared<Aimet>(); }

}  // namespace bitplan::exporters
