#include <fmt/format.h>

#include <vector>

#include "bitplan/configuration.h"
#include "bitplan/error.h"
#include "bitplan/network.h"
#include "cost/layer_pattern.h"

namespace bitplan {

namespace {

/// The first rule that names each layer, or null.
std::vector<const LayerRule*> RulesOf(const Network& network, const std::vector<LayerRule>& rules) {
  std::vector<const LayerRule*> rule_of(network.layers().size(), nullptr);
  for (const LayerRule& rule : rules) {
    const std::vector<std::size_t> named = MatchingLayers(network.layers(), rule.layers);
    if (named.empty())
      throw Error(fmt::format(
          "configuration: no layer is called '{}', nor is that a pattern or operator of one; see bitplan inspect",
          rule.layers));
    const LayerRule* const before = rule_of[named.front()];
    bool counts = false;
    for (const std::size_t layer : named)
      if (!rule_of[layer]) {
        rule_of[layer] = &rule;
        counts = true;
      }
    if (!counts)
      throw Error(fmt::format("configuration: the rule '{}' has no effect, as rules before it ('{}') name all of its "
                              "layers and the first counts; put it before them, or leave it out",
                              rule.layers, before->layers));
  }
  return rule_of;
}

}  // namespace

Plan MakeConfiguredPlan(const Network& network, const Configuration& configuration) {
  configuration.weight.Validate();
  configuration.activation.ValidateForActivations();
  configuration.corrections.Validate();
  Plan plan = PlanWithoutSearch("configuration", "configuration");
  plan.model_sha256 = network.sha256();
  plan.weights_sha256 = network.weights_sha256();
  plan.fold_batch_norm = network.batch_norm_folded();
  plan.input_values = network.input_values();
  plan.corrections = configuration.corrections;
  const std::vector<const LayerRule*> rule_of = RulesOf(network, configuration.rules);
  for (std::size_t i = 0; i < network.layers().size(); ++i)
    plan.layers.push_back({network.layers()[i].name, rule_of[i] ? rule_of[i]->weight : configuration.weight,
                           rule_of[i] ? rule_of[i]->activation : configuration.activation});
  for (std::size_t i = 0; i < plan.layers.size(); ++i)
    if (!network.layers()[i].HasInputSite()) plan.layers[i].activation = plan.layers[i].activation.WithBits(32);
  return plan;
}

}  // namespace bitplan
