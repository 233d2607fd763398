#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "bitplan/configuration.h"
#include "bitplan/error.h"
#include "bitplan/fingerprint.h"
#include "bitplan/network.h"
#include "cost/layer_pattern.h"
#include "text/shortened.h"

namespace bitplan {

namespace {

/// The rules that name these layers, in the order of the layers: "'c1', 'c2'".
std::string RulesBefore(const std::vector<const LayerRule*>& rule_of, const std::vector<std::size_t>& layers) {
  std::vector<std::string> names;
  for (const std::size_t layer : layers) {
    std::string name = fmt::format("'{}'", rule_of[layer]->layers);
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(std::move(name));
  }
  return text::Shortened(names);
}

/// The first rule that names each layer, or null.
std::vector<const LayerRule*> RulesOf(const Network& network, const std::vector<LayerRule>& rules) {
  std::vector<const LayerRule*> rule_of(network.layers().size(), nullptr);
  for (const LayerRule& rule : rules) {
    const std::vector<std::size_t> named = cost::MatchingLayers(network.layers(), rule.layers);
    if (named.empty())
      throw Error(fmt::format(
          "configuration: no layer is called '{}', nor is that a pattern or operator of one; see bitplan inspect",
          rule.layers));
    if (std::all_of(named.begin(), named.end(), [&](std::size_t layer) { return rule_of[layer]; }))
      throw Error(
          fmt::format("configuration: the rule '{}' has no effect, as what stands before it ({}) names all of its "
                      "layers and the first counts; put it before, or leave it out",
                      rule.layers, RulesBefore(rule_of, named)));
    for (const std::size_t layer : named)
      if (!rule_of[layer]) rule_of[layer] = &rule;
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
    plan.layers[i].fingerprint = Fingerprint(network, network.layers()[i]);
  for (std::size_t i = 0; i < plan.layers.size(); ++i)
    if (!network.layers()[i].HasInputSite()) plan.layers[i].activation = plan.layers[i].activation.WithBits(32);
  return plan;
}

}  // namespace bitplan
