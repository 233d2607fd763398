#include <fmt/format.h>

#include "recipes/recipe.h"
#include "recipes/recipes.h"

namespace bitplan::exporters {

namespace {

using nlohmann::ordered_json;

ordered_json AutoRoundFormat(const Format& format) {
  if (!format.HasScale()) return {{"bits", 16}};
  return {{"bits", format.bits},
          {"group_size", format.InGroups() ? format.group_size : -1},
          {"sym", !format.HasZeroPoint()},
          {"data_type", "int"}};
}

std::string ExtraConfiguration(const Network& network, const Plan& plan) {
  const Format common = CommonFormat(plan.layers);
  ordered_json config = AutoRoundFormat(common), extra = ordered_json::object();
  for (std::size_t i = 0; i < plan.layers.size(); ++i)
    if (const ordered_json format = AutoRoundFormat(plan.layers[i].weight); format != config)
      extra[ModuleOf(network, network.layers()[i], "autoround")] = format;
  config["extra_config"] = extra;
  return RecipeText(config);
}

}  // namespace

std::shared_ptr<const Exporter> AutoRoundRecipe() {
  ExporterTraits traits;
  traits.weights = {
      {2, 3, 4, 8}, {Scheme::Symmetric, Scheme::Asymmetric}, {}, {Granularity::Channel, Granularity::Group}};
  traits.layer_ops = {"linear"};
  return std::make_shared<WidthRecipe>("autoround", "AutoRound's common numbers and extra_config by layer, as JSON",
                                       traits, ExtraConfiguration);
}

}  // namespace bitplan::exporters
