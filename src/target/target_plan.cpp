#include <fmt/format.h>

#include <algorithm>

#include "bitplan/fingerprint.h"
#include "bitplan/target.h"
#include "placement.h"

namespace bitplan {

namespace {

/// Formats of the tensors at all sites that a placement quantizes.
std::map<std::string, Format> FormatsOfSites(const Placement& placement) {
  std::map<std::string, Format> formats;
  for (const PlacedTensor& tensor : placement.tensors)
    for (const std::string& site : tensor.sites) formats.emplace(site, tensor.format);
  return formats;
}

bool IsOperand(const Network& network, const std::string& site) {
  return std::any_of(network.sites().begin(), network.sites().end(),
                     [&](const Site& each) { return each.kind == Site::Kind::Operand && each.name == site; });
}

/// The layer whose input is the same tensor; empty: none.
std::string LayerThatReads(const Network& network, const PlacedTensor& tensor) {
  for (std::size_t i = 0; i < tensor.sites.size(); ++i)
    if (!IsOperand(network, tensor.sites[i])) return tensor.readers[i];
  return "";
}

template <typename NamedLayer, typename HasInput>
std::vector<Pin> PinsOf(const std::vector<NamedLayer>& layers, const Target& target, const HasInput& has_input) {
  std::vector<Pin> pins;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const LayerOffer offer = target::OfferFor(layers, i, target).value_or(LayerOffer{{32}, {32}});
    pins.push_back({layers[i].name, offer.weight_bits, has_input(layers[i]) ? offer.input_bits : std::vector<int>{}});
  }
  return pins;
}

}  // namespace

Plan MakeTargetPlan(const Network& network, const Target& target) {
  const Placement placement = Place(network, target);
  const std::map<std::string, Format> formats = FormatsOfSites(placement);
  Plan plan = PlanWithoutSearch("target " + target.name, "target");
  plan.model_sha256 = network.sha256();
  plan.weights_sha256 = network.weights_sha256();
  plan.fold_batch_norm = network.batch_norm_folded();
  plan.input_values = network.input_values();
  for (const Layer& layer : network.layers()) {
    LayerPlan planned{layer.name, target.weight.WithBits(32), target.activation.WithBits(32)};
    for (const PlacedWeight& weight : placement.weights)
      if (weight.layer == layer.name) planned.weight = weight.format;
    for (const LayerUse& use : layer.uses) {
      if (use.input_site < 0) continue;
      const auto format = formats.find(network.sites()[static_cast<std::size_t>(use.input_site)].name);
      if (format != formats.end() && (planned.activation.bits == 32 || format->second.bits > planned.activation.bits))
        planned.activation = format->second;
    }
    planned.fingerprint = Fingerprint(network, layer);
    plan.layers.push_back(std::move(planned));
  }
  for (const OperandFormat& operand : TargetOperands(network, target))
    plan.operands.push_back({operand.name, operand.format});
  return plan;
}

std::vector<OperandFormat> TargetOperands(const Network& network, const Target& target) {
  std::vector<OperandFormat> operands;
  for (const PlacedTensor& tensor : Place(network, target).tensors)
    for (const std::string& site : tensor.sites)
      if (IsOperand(network, site)) operands.push_back({site, tensor.format, LayerThatReads(network, tensor)});
  return operands;
}

std::vector<Pin> TargetPins(const Network& network, const Target& target) {
  return PinsOf(network.layers(), target, [](const Layer& layer) { return layer.HasInputSite(); });
}

std::vector<Pin> TargetPins(const Sensitivity& sensitivity, const Target& target) {
  return PinsOf(sensitivity.layers, target, [](const LayerSensitivity& layer) { return layer.input_count > 0; });
}

}  // namespace bitplan
