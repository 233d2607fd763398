#include <fmt/format.h>

#include "bitplan/configuration.h"
#include "bitplan/error.h"
#include "bitplan/network.h"
#include "cost/layer_pattern.h"

namespace bitplan {

Plan MakeConfiguredPlan(const Network& network, const Configuration& configuration) {
  configuration.weight.Validate();
  configuration.activation.ValidateForActivations();
  configuration.corrections.Validate();
  Plan plan = PlanWithoutSearch("configuration", "configuration");
  plan.model_sha256 = network.sha256();
  plan.fold_batch_norm = network.batch_norm_folded();
  plan.input_values = network.input_values();
  plan.corrections = configuration.corrections;
  for (const Layer& layer : network.layers())
    plan.layers.push_back({layer.name, configuration.weight, configuration.activation});
  for (auto rule = configuration.rules.rbegin(); rule != configuration.rules.rend();
       ++rule) {  // the first has the last word
    const std::vector<std::size_t> named = MatchingLayers(network.layers(), rule->layers);
    if (named.empty())
      throw Error(fmt::format(
          "configuration: no layer is called '{}', nor is that a pattern or operator of one; see bitplan inspect",
          rule->layers));
    for (const std::size_t i : named) plan.layers[i] = {network.layers()[i].name, rule->weight, rule->activation};
  }
  for (std::size_t i = 0; i < plan.layers.size(); ++i)
    if (!network.layers()[i].HasInputSite()) plan.layers[i].activation = plan.layers[i].activation.WithBits(32);
  return plan;
}

}  // namespace bitplan
