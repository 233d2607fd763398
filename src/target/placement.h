#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "bitplan/target.h"
#include "network/operator_graph.h"

namespace bitplan::target {

/// What the target offers for a layer; nothing where it stays in float. A layer is anything with `op`.
template <typename NamedLayer>
std::optional<LayerOffer> OfferFor(const std::vector<NamedLayer>& layers, std::size_t layer, const Target& target) {
  const auto counts = [](const NamedLayer& each) { return each.op != "embedding"; };
  const NamedLayer& found = layers[layer];
  const auto offer = target.layers.find(found.op);
  if (offer == target.layers.end()) return std::nullopt;
  if (!counts(found)) return offer->second;
  if (target.first_layer && &*std::find_if(layers.begin(), layers.end(), counts) == &found) return target.first_layer;
  if (target.last_layer && &*std::find_if(layers.rbegin(), layers.rend(), counts) == &found) return target.last_layer;
  return offer->second;
}

/// The operator of a site of Site::Kind::Operand: add_2 and add of add_2.0.
std::string OperatorOfSite(const std::string& site);
std::string KindOfOperator(const std::string& name);

}  // namespace bitplan::target
