#include "quantize/plan_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "bitplan/error.h"
#include "network/weights_sha256.h"
#include "text/shortened.h"

namespace bitplan::quantize {

namespace {

/// The same weights under other names are another model's as much as other weights are: names are what plans go by.
void CheckLayerNames(const Network& network, const Plan& plan) {
  std::set<std::string> unknown, missing;
  for (const LayerPlan& layer : plan.layers) unknown.insert(layer.name);
  for (const Layer& layer : network.layers())
    if (unknown.erase(layer.name) == 0) missing.insert(layer.name);
  if (unknown.empty() && missing.empty()) return;
  std::string differs;
  if (!unknown.empty()) differs = fmt::format("the network has no layer {}", text::Shortened(unknown));
  if (!missing.empty())
    differs +=
        fmt::format("{}the plan says nothing of layer {}", unknown.empty() ? "" : ", and ", text::Shortened(missing));
  throw Error(
      fmt::format("the plan is another model's, or the same one's with other names of layers, as "
                  "torch.jit.freeze gives: {}; analyze the file that it is to be applied to",
                  differs));
}

void CheckModel(const Network& network, const Plan& plan) {
  if (const std::string differs = network::OtherInputValues(network, plan.input_values); !differs.empty())
    throw Error(fmt::format("the plan was {}", differs));
  CheckLayerNames(network, plan);
  if (!network::IsMadeFor(network, plan.model_sha256, plan.weights_sha256))
    throw Error(fmt::format("the plan is another model's: it was {}",
                            network::OtherModel(network, plan.model_sha256, plan.weights_sha256)));
  if (plan.fold_batch_norm != network.batch_norm_folded())
    throw Error(fmt::format("the plan was made with batch norm {}, the network was loaded with it {}",
                            plan.fold_batch_norm ? "folded" : "unfolded",
                            network.batch_norm_folded() ? "folded" : "unfolded"));
}

std::vector<LayerPlan> InNetworkOrder(const Network& network, const Plan& plan) {
  std::map<std::string, const LayerPlan*> by_name;
  for (const LayerPlan& layer : plan.layers)
    if (!by_name.emplace(layer.name, &layer).second)
      throw Error(fmt::format("the plan names layer '{}' twice", layer.name));
  std::vector<LayerPlan> ordered;
  for (const Layer& layer : network.layers()) ordered.push_back(*by_name.at(layer.name));
  return ordered;
}

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

/// Of formats without scales only the type says anything.
bool SameFormat(const Format& a, const Format& b) { return a.HasScale() ? a == b : a.type == b.type; }

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
  CheckModel(network, plan);
  CheckLearned(plan);
  Plan ordered = plan;
  ordered.layers = InNetworkOrder(network, plan);
  CheckFormats(network, ordered.layers);
  CheckOperands(network, ordered.operands);
  return ordered;
}

}  // namespace bitplan::quantize
