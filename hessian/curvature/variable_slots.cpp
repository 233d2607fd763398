#include "curvature/variable_slots.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "bitplan/error.h"

namespace bitplan::hessian {

namespace {

constexpr std::size_t kNamesInMessages = 3;

void CheckLayers(const Network& network, const std::vector<int>& layers) {
  if (layers.empty()) throw Error("second derivatives need at least one layer");
  const auto count = static_cast<int>(network.layers().size());
  for (const int layer : layers) {
    if (layer < 0 || layer >= count) {
      throw Error(fmt::format("layer {} is outside the network's {} layers (0 … {})", layer, count, count - 1));
    }
  }
  if (std::set<int>(layers.begin(), layers.end()).size() != layers.size()) {
    throw Error("a layer is listed twice in the variables of a Hessian");
  }
}

std::string NamesOf(const Network& network, const std::vector<int>& layers) {
  std::string names;
  for (std::size_t i = 0; i < std::min(layers.size(), kNamesInMessages); ++i) {
    names += fmt::format("{}'{}'", i == 0 ? "" : ", ", network.layers()[static_cast<std::size_t>(layers[i])].name);
  }
  return layers.size() > kNamesInMessages ? fmt::format("{} and {} more", names, layers.size() - kNamesInMessages)
                                          : names;
}

}  // namespace

std::vector<int> InputSites(const Layer& layer) {
  std::set<int> sites;
  for (const LayerUse& use : layer.uses) {
    if (use.input_site >= 0) sites.insert(use.input_site);
  }
  return {sites.begin(), sites.end()};
}

VariableSlots FindSlots(const Network& network, const Variables& variables) {
  CheckLayers(network, variables.layers);
  VariableSlots slots;
  slots.activations = variables.activations;
  slots.names = NamesOf(network, variables.layers);
  for (const int index : variables.layers) {
    const Layer& layer = network.layers()[static_cast<std::size_t>(index)];
    const std::vector<int> wanted = variables.activations ? InputSites(layer) : std::vector<int>{layer.weight};
    if (wanted.empty()) {
      throw Error(fmt::format("the input of layer '{}' ({}) is inside its operator and cannot be varied", layer.name,
                              layer.op));
    }
    std::vector<std::size_t>& own = slots.of_layer.emplace_back();
    for (const int slot : wanted) {
      const auto known = std::find(slots.indices.begin(), slots.indices.end(), slot);
      own.push_back(static_cast<std::size_t>(known - slots.indices.begin()));
      if (known == slots.indices.end()) slots.indices.push_back(slot);
    }
  }
  return slots;
}

}  // namespace bitplan::hessian
