#include "recipes/recipe.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "bitplan/error.h"
#include "network/lowered_graph.h"

namespace bitplan::exporters {

std::vector<std::string> Recipe::Remarks(const Network& network, const Plan& plan, const ExportOptions& options) const {
  const ExporterTraits traits = Traits(options.flavor);
  if (!traits.scales || traits.values || network.lowered().folded_norms.empty()) return {};
  const auto folded = std::count_if(plan.layers.begin(), plan.layers.end(),
                                    [&](const LayerPlan& layer) { return layer.weight.HasScale(); });
  if (folded == 0) return {};
  return {"scales are of weights with batch norm folded in; fold it in the model, too, before it is quantized"};
}

std::string RecipeText(const nlohmann::ordered_json& json) { return json.dump(1) + "\n"; }

const std::string& WeightName(const Network& network, const Layer& layer) {
  return network.parameters()[static_cast<std::size_t>(layer.weight)].name;
}

std::string ModuleOf(const Network& network, const Layer& layer, std::string_view tool) {
  const std::string& weight = WeightName(network, layer);
  constexpr std::string_view kEnd = ".weight";
  if (!weight.ends_with(kEnd) || weight.size() == kEnd.size() || network.lowered().nameless.contains(weight))
    throw Error(
        fmt::format("layer {}: {} has no place for a weight that is not a module's own '.weight'", layer.name, tool));
  return weight.substr(0, weight.size() - kEnd.size());
}

const QuantizedInput* InputOf(const QuantizedNetwork& network, std::size_t layer, std::string_view tool) {
  const QuantizedInput* first = nullptr;
  const Layer& read_by = network.network().layers()[layer];
  for (const LayerUse& use : read_by.uses) {
    const auto found = network.inputs().find(use.input_site);
    if (found == network.inputs().end()) continue;
    if (first && !(first->range == found->second.range))
      throw Error(
          fmt::format("layer {}: {} has no place for an input with a range for each of its uses", read_by.name, tool));
    first = &found->second;
  }
  return first;
}

std::string Escaped(std::string_view text) {
  std::string escaped;
  for (const char letter : text) {
    if (std::string_view(".\\+*?()[]{}|^$").find(letter) != std::string_view::npos) escaped += '\\';
    escaped += letter;
  }
  return escaped;
}

std::vector<double> NumbersOf(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.detach().to(at::kCPU, at::kDouble).contiguous();
  return {flat.const_data_ptr<double>(), flat.const_data_ptr<double>() + flat.numel()};
}

Format CommonFormat(const std::vector<LayerPlan>& layers) {
  std::optional<Format> common;
  std::ptrdiff_t most = 0;
  for (const LayerPlan& layer : layers) {
    if (!layer.weight.HasScale()) continue;
    const auto count = std::count_if(layers.begin(), layers.end(),
                                     [&](const LayerPlan& other) { return other.weight == layer.weight; });
    if (count <= most) continue;
    most = count;
    common = layer.weight;
  }
  return common.value_or(DefaultWeightFormat());
}

}  // namespace bitplan::exporters
