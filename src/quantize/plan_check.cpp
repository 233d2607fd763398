#include "quantize/plan_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>

#include "bitplan/error.h"
#include "bitplan/plan_match.h"

namespace bitplan::quantize {

namespace {

void ValidateFormats(const LayerPlan& layer) {
  for (const bool weight : {true, false}) {
    try {
      if (weight)
        layer.weight.Validate();
      else
        layer.activation.ValidateForActivations();
    } catch (const Error& error) {
      throw Error(fmt::format("layer '{}', {}: {}", layer.name, weight ? "weight" : "activation", error.what()));
    }
  }
}

void CheckFormats(const Network& network, const std::vector<LayerPlan>& layers) {
  std::map<int, std::size_t> reader_of_site;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    ValidateFormats(layers[i]);
    const Format& format = layers[i].activation;
    const auto& uses = network.layers()[i].uses;
    if (format.bits < 32 && !network.layers()[i].HasInputSite())
      throw Error(fmt::format("layer '{}': its input cannot be quantized, yet the plan gives it {} bits",
                              layers[i].name, format.bits));
    for (const LayerUse& use : uses) {
      if (use.input_site < 0) continue;
      const auto [other, first] = reader_of_site.try_emplace(use.input_site, i);
      if (!first && !SameFormat(layers[other->second].activation, format))
        throw Error(fmt::format(
            "layers '{}' and '{}' read the same tensor but the plan gives it two formats ({} and {} bits)",
            layers[other->second].name, layers[i].name, layers[other->second].activation.bits, format.bits));
      if (!first && layers[other->second].learned_input != layers[i].learned_input)
        throw Error(fmt::format("layers '{}' and '{}' read the same tensor but the plan gives it two learned ranges",
                                layers[other->second].name, layers[i].name));
    }
  }
}

/// What was learned belongs to the channels as they were.
void CheckLearned(const Plan& plan) {
  if (plan.corrections.rescaling == Rescaling::None) return;
  for (const LayerPlan& layer : plan.layers)
    if (layer.learned_weight || layer.learned_input)
      throw Error(
          fmt::format("the plan rescales channels ({}), but layer '{}' has a grid that was learned without that",
                      ToString(plan.corrections.rescaling), layer.name));
}

void CheckOperands(const Network& network, const std::vector<OperandPlan>& operands) {
  if (!operands.empty() && !network.has_operand_sites())
    throw Error("the plan quantizes operands of operators without a weight; load the network with operand_sites");
  for (const OperandPlan& operand : operands) {
    OperandSite(network, operand.name);
    try {
      operand.format.ValidateForActivations();
    } catch (const Error& error) {
      throw Error(fmt::format("operand '{}': {}", operand.name, error.what()));
    }
    if (operand.format.bits == 32)
      throw Error(fmt::format("operand '{}': 32 bits; leave it out of the plan instead", operand.name));
  }
}

}  // namespace

bool SameFormat(const Format& a, const Format& b) { return a.HasScale() ? a == b : a.type == b.type; }

bool QuantizesAnything(const Plan& plan) {
  return std::any_of(plan.layers.begin(), plan.layers.end(),
                     [](const LayerPlan& layer) { return layer.weight.HasScale() || layer.activation.HasScale(); });
}

int OperandSite(const Network& network, const std::string& name) {
  const auto& sites = network.sites();
  const auto found = std::find_if(sites.begin(), sites.end(), [&](const Site& site) { return site.name == name; });
  if (found == sites.end() || found->kind != Site::Kind::Operand)
    throw Error(fmt::format("the plan is another model's: the network has no operand '{}'", name));
  return static_cast<int>(found - sites.begin());
}

Plan PlanFor(const Network& network, const Plan& plan) {
  Plan ordered = AdaptPlan(network, plan).plan;
  CheckLearned(ordered);
  CheckFormats(network, ordered.layers);
  CheckOperands(network, ordered.operands);
  return ordered;
}

}  // namespace bitplan::quantize
