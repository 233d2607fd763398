#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "bitplan/error.h"
#include "bitplan/fingerprint.h"
#include "bitplan/plan_match.h"
#include "network/weight_match.h"
#include "network/weights_sha256.h"
#include "quantize/plan_check.h"
#include "text/shortened.h"

namespace bitplan {

namespace {

/// The same weights under other names are another model's as much as other weights are, unless values tell.
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

void CheckWeights(const Network& network, const Plan& plan) {
  if (!network::IsMadeFor(network, plan.model_sha256, plan.weights_sha256))
    throw Error(fmt::format("the plan is another model's: it was {}",
                            network::OtherModel(network, plan.model_sha256, plan.weights_sha256)));
}

void CheckFolding(const Network& network, const Plan& plan) {
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

/// By layer of the network the plan's layer.
std::vector<std::size_t> MatchedLayers(const Network& network, const Plan& plan) {
  std::vector<network::KnownWeight> known;
  for (const LayerPlan& layer : plan.layers) known.push_back({layer.name, layer.fingerprint});
  const auto matches = network::MatchWeights(network, known);
  std::vector<std::size_t> matched;
  std::set<std::string> missing;
  for (std::size_t i = 0; i < matches.size(); ++i) {
    if (matches[i])
      matched.push_back(*matches[i]);
    else
      missing.insert(network.layers()[i].name);
  }
  if (missing.empty()) return matched;
  throw Error(
      fmt::format("the plan is another model's: it was {}, and no layer of it has the name and the weight, or "
                  "the weight alone, of layer {}",
                  network::OtherModel(network, plan.model_sha256, plan.weights_sha256), text::Shortened(missing)));
}

/// `other` is a layer of the plan that no layer of the network was found for: right where its weight stands twice in
/// the plan's file, and once, in `layer`, in the network's.
void Join(LayerPlan& layer, const std::string& name_in_plan, const LayerPlan& other) {
  if (layer.activation.bits == 32) {
    layer.activation = other.activation;
    layer.learned_input = other.learned_input;
  }
  if (quantize::SameFormat(layer.weight, other.weight) &&
      (other.activation.bits == 32 || quantize::SameFormat(layer.activation, other.activation)))
    return;
  throw Error(fmt::format(
      "layers '{}' and '{}' of the plan are one weight in this file, '{}', and the plan gives it two formats",
      name_in_plan, other.name, layer.name));
}

void JoinOthers(std::vector<LayerPlan>& layers, const std::vector<std::size_t>& matched, const Plan& plan) {
  for (std::size_t k = 0; k < plan.layers.size(); ++k) {
    if (std::find(matched.begin(), matched.end(), k) != matched.end()) continue;
    const LayerPlan& other = plan.layers[k];
    const auto twin = std::find_if(matched.begin(), matched.end(), [&](std::size_t index) {
      const auto& fingerprint = plan.layers[index].fingerprint;
      return network::AreOfSameValues(fingerprint, other.fingerprint) ||
             network::AreOfSameDirections(fingerprint, other.fingerprint);  // exporters fold two norms into two copies
    });
    if (twin == matched.end())
      throw Error(
          fmt::format("the plan is another model's: the network has no layer with the weight of '{}'", other.name));
    Join(layers[static_cast<std::size_t>(twin - matched.begin())], plan.layers[*twin].name, other);
  }
}

AdaptedPlan ByFingerprints(const Network& network, const Plan& plan) {
  const std::vector<std::size_t> matched = MatchedLayers(network, plan);
  AdaptedPlan adapted{plan, {}};
  adapted.plan.model_sha256 = network.sha256();
  adapted.plan.weights_sha256 = network.weights_sha256();
  adapted.plan.layers.clear();
  if (adapted.plan.stability) adapted.plan.stability->kept.clear();
  for (std::size_t i = 0; i < matched.size(); ++i) {
    const Layer& layer = network.layers()[i];
    LayerPlan& planned = adapted.plan.layers.emplace_back(plan.layers[matched[i]]);
    if (planned.name != layer.name) adapted.by_value[layer.name] = planned.name;
    if (adapted.plan.stability)
      if (const auto kept = plan.stability->kept.find(planned.name); kept != plan.stability->kept.end())
        adapted.plan.stability->kept[layer.name] = kept->second;
    planned.name = layer.name;
    planned.fingerprint = Fingerprint(network, layer);
    if (layer.HasInputSite()) continue;
    planned.activation = planned.activation.WithBits(32);
    planned.learned_input.reset();
  }
  JoinOthers(adapted.plan.layers, matched, plan);
  return adapted;
}

bool HasFingerprints(const Plan& plan) {
  return !plan.layers.empty() && std::none_of(plan.layers.begin(), plan.layers.end(),
                                              [](const LayerPlan& layer) { return layer.fingerprint.empty(); });
}

}  // namespace

AdaptedPlan AdaptPlan(const Network& network, const Plan& plan) {
  if (const std::string differs = network::OtherInputValues(network, plan.input_values); !differs.empty())
    throw Error(fmt::format("the plan was {}", differs));
  if (HasFingerprints(plan) && !network::IsMadeFor(network, plan.model_sha256, plan.weights_sha256)) {
    CheckFolding(network, plan);
    return ByFingerprints(network, plan);
  }
  CheckLayerNames(network, plan);
  CheckWeights(network, plan);
  CheckFolding(network, plan);
  AdaptedPlan same{plan, {}};
  same.plan.layers = InNetworkOrder(network, plan);
  return same;
}

}  // namespace bitplan
