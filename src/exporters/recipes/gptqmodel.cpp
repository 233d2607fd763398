#include <fmt/format.h>

#include "recipes/recipe.h"
#include "recipes/recipes.h"

namespace bitplan::exporters {

namespace {

using nlohmann::ordered_json;

/// −1 is a whole channel.
int GptqGroup(const Format& format) { return format.InGroups() ? format.group_size : -1; }

ordered_json GptqFormat(const Format& format) {
  return {{"bits", format.bits}, {"group_size", GptqGroup(format)}, {"sym", !format.HasZeroPoint()}};
}

/// `dynamic` by module: "+:" gives other numbers than the common ones, "-:" leaves a module in float.
std::string GptqDynamic(const Network& network, const Plan& plan) {
  const Format common = CommonFormat(plan.layers);
  ordered_json dynamic = ordered_json::object();
  for (std::size_t i = 0; i < plan.layers.size(); ++i) {
    const Layer& layer = network.layers()[i];
    const Format& format = plan.layers[i].weight;
    if (!format.HasScale()) {
      dynamic[fmt::format("-:^{}$", Escaped(layer.name))] = ordered_json::object();
    } else if (!(GptqFormat(format) == GptqFormat(common))) {
      dynamic[fmt::format("+:^{}$", Escaped(ModuleOf(network, layer, "gptqmodel")))] = GptqFormat(format);
    }
  }
  ordered_json config = GptqFormat(common);
  config["dynamic"] = dynamic;
  return RecipeText(config);
}

}  // namespace

std::shared_ptr<const Exporter> GptqModelRecipe() {
  ExporterTraits traits;
  traits.weights = {
      {2, 3, 4, 8}, {Scheme::Symmetric, Scheme::Asymmetric}, {}, {Granularity::Channel, Granularity::Group}};
  traits.layer_ops = {"linear"};
  return std::make_shared<WidthRecipe>("gptqmodel", "GPTQModel's QuantizeConfig with dynamic, as JSON", traits,
                                       GptqDynamic);
}

}  // namespace bitplan::exporters
