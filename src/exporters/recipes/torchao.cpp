#include <fmt/format.h>

#include "recipes/recipe.h"
#include "recipes/recipes.h"

namespace bitplan::exporters {

namespace {

using nlohmann::ordered_json;

ordered_json Granularities(const Format& format) {
  if (format.InGroups())
    return {{"_type", "PerGroup"}, {"_version", 1}, {"_data", {{"group_size", format.group_size}}}};
  return {{"_type", "PerAxis"}, {"_version", 1}, {"_data", {{"axis", 0}}}};
}

ordered_json WeightOnly(const Format& format) {
  const auto named = [](const char* type, const std::string& value) {
    return ordered_json{{"_type", type}, {"_data", value}};
  };
  return {{"_type", "IntxWeightOnlyConfig"},
          {"_version", 2},
          {"_data",
           {{"weight_dtype", named("torch.dtype", fmt::format("int{}", format.bits))},
            {"granularity", Granularities(format)},
            {"mapping_type", named("MappingType", format.HasZeroPoint() ? "ASYMMETRIC" : "SYMMETRIC")},
            {"scale_dtype", nullptr},
            {"intx_packing_format", named("IntxPackingFormat", "UNPACKED_TO_INT8")},
            {"intx_choose_qparams_algorithm", named("IntxChooseQParamsAlgorithm", "AFFINE")}}}};
}

std::string Configuration(const Network& network, const Plan& plan) {
  ordered_json by_module = ordered_json::object();
  for (std::size_t i = 0; i < plan.layers.size(); ++i)
    if (plan.layers[i].weight.HasScale())
      by_module[ModuleOf(network, network.layers()[i], "torchao")] = WeightOnly(plan.layers[i].weight);
  return RecipeText({{"_type", "FqnToConfig"}, {"_version", 1}, {"_data", {{"fqn_to_config", by_module}}}});
}

}  // namespace

std::shared_ptr<const Exporter> TorchAoRecipe() {
  ExporterTraits traits;
  traits.weights = {{1, 2, 3, 4, 5, 6, 7, 8},
                    {Scheme::Symmetric, Scheme::Asymmetric},
                    {},
                    {Granularity::Channel, Granularity::Group}};
  traits.layer_ops = {"linear"};
  return std::make_shared<WidthRecipe>("torchao", "torchao's FqnToConfig for quantize_, as JSON", traits,
                                       Configuration);
}

}  // namespace bitplan::exporters
