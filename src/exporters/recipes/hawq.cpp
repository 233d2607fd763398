#include <fmt/format.h>

#include <regex>

#include "bitplan/error.h"
#include "recipes/python_text.h"
#include "recipes/recipe.h"
#include "recipes/recipes.h"

namespace bitplan::exporters {

namespace {

/// What HAWQ calls a layer of torchvision's ResNets, and what it reads.
struct HawqNames {
  std::string layer, input;
};

/// Throws Error naming the layer where HAWQ has no name for it.
HawqNames NamesOf(const std::string& module) {
  static const std::regex conv(R"(layer(\d+)\.(\d+)\.conv(\d+))"), identity(R"(layer(\d+)\.(\d+)\.downsample\.0)");
  std::smatch match;
  if (module == "conv1") return {"quant_init_block_convbn", "quant_input"};
  if (module == "fc") return {"quant_output", "quant_act_output"};
  const bool is_conv = std::regex_match(module, match, conv);
  if (!is_conv && !std::regex_match(module, match, identity))
    throw Error(
        fmt::format("layer {}: hawq has no place for it: its names are of ResNets whose layers are called conv1, "
                    "layer1.0.conv1, layer2.0.downsample.0, fc",
                    module));
  const std::string unit = fmt::format("stage{}.unit{}.quant_", match[1].str(), std::stoi(match[2]) + 1);
  if (!is_conv) return {unit + "identity_convbn", unit + "act"};
  const int number = std::stoi(match[3]);
  return {fmt::format("{}convbn{}", unit, number),
          number == 1 ? unit + "act" : fmt::format("{}act{}", unit, number - 1)};
}

/// Residual sums stay at HAWQ's 16 bits.
std::string HawqPython(const Network& network, const Plan& plan) {
  nlohmann::ordered_json bits = nlohmann::ordered_json::object();
  for (std::size_t i = 0; i < plan.layers.size(); ++i) {
    const LayerPlan& layer = plan.layers[i];
    if (!layer.weight.HasScale() || !layer.activation.HasScale())
      throw Error(fmt::format("layer {}: hawq has no place for weights or inputs in float", layer.name));
    const HawqNames names = NamesOf(ModuleOf(network, network.layers()[i], "hawq"));
    bits[names.input] = layer.activation.bits;
    bits[names.layer] = layer.weight.bits;
    const std::size_t unit = names.layer.find(".quant_");
    bits[unit == std::string::npos ? "quant_act_int32" : names.layer.substr(0, unit) + ".quant_act_int32"] = 16;
  }
  std::string lines = "# Written by bitplan, for HAWQ's bit_config.py.\nbit_config_dict = {\"bit_config_bitplan\": {\n";
  for (const auto& [name, width] : bits.items()) lines += fmt::format("    {}: {},\n", PythonText(name), width.dump());
  return lines + "}}\n";
}

}  // namespace

std::shared_ptr<const Exporter> HawqRecipe() {
  ExporterTraits traits;
  traits.weights = {{1, 2, 3, 4, 5, 6, 7, 8}, {Scheme::Symmetric}, {}, {Granularity::Channel}};
  traits.inputs = {{2, 3, 4, 5, 6, 7, 8}, {Scheme::Symmetric, Scheme::Asymmetric}};
  traits.layer_ops = {"linear", "conv2d"};
  return std::make_shared<WidthRecipe>("hawq", "HAWQ's bit_config of ResNets, as a Python file", traits, HawqPython);
}

}  // namespace bitplan::exporters
