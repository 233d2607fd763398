#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "bitplan/configuration.h"
#include "bitplan/error.h"
#include "bitplan/network.h"
#include "bitplan/version.h"
#include "cost/layer_pattern.h"

namespace bitplan {

namespace {

bool HasInput(const Layer& layer) {
  return std::any_of(layer.uses.begin(), layer.uses.end(), [](const LayerUse& use) { return use.input_site >= 0; });
}

}  // namespace

Plan MakeConfiguredPlan(const Network& network, const Configuration& configuration) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();  // nothing is predicted, nothing is proven
  configuration.weight.Validate();
  configuration.activation.ValidateForActivations();
  configuration.corrections.Validate();
  Plan plan;
  plan.tool_version = Version();
  plan.model_sha256 = network.sha256();
  plan.fold_batch_norm = network.batch_norm_folded();
  plan.corrections = configuration.corrections;
  plan.measure = "configuration";
  plan.predicted_loss = kNone;
  plan.certificate = {"configuration", "feasible", kNone, kNone, kNone};
  for (const Layer& layer : network.layers()) plan.layers.push_back({layer.name, configuration.weight, configuration.activation});
  for (auto rule = configuration.rules.rbegin(); rule != configuration.rules.rend(); ++rule) {  // the first has the last word
    const std::vector<std::size_t> named = MatchingLayers(network.layers(), rule->layers);
    if (named.empty())
      throw Error(fmt::format("configuration: no layer is called '{}', nor is that a pattern or operator of one; see bitplan inspect", rule->layers));
    for (const std::size_t i : named) plan.layers[i] = {network.layers()[i].name, rule->weight, rule->activation};
  }
  for (std::size_t i = 0; i < plan.layers.size(); ++i)
    if (!HasInput(network.layers()[i])) plan.layers[i].activation = plan.layers[i].activation.WithBits(32);
  return plan;
}

}  // namespace bitplan
