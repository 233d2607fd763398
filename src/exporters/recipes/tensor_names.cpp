#include "recipes/tensor_names.h"

#include <fmt/format.h>
#include <torch/csrc/jit/ir/ir.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <optional>

#include "bitplan/error.h"
#include "bitplan/export.h"
#include "onnx/model.h"
#include "onnx_places.h"
#include "recipes/recipe.h"

namespace bitplan::exporters {

namespace {

/// The model that the network was read from, where that is an ONNX file.
std::optional<onnx::Model> OnnxModelOf(const Network& network) {
  constexpr std::size_t kHead = 3;
  std::string head(kHead, '\0');
  std::ifstream(network.source(), std::ios::binary).read(head.data(), kHead);
  if (!onnx::IsModel(head)) return std::nullopt;
  return onnx::ReadModel(network.source());
}

/// By site, the input of the network that it is.
std::map<int, std::string> InputsBySite(const Network& network) {
  const OperatorGraph graph = GraphOf(network);
  std::map<int, std::string> names;
  const auto inputs = graph.graph->inputs();
  for (const auto& [site, mark] : graph.sites) {
    const auto found = std::find(inputs.begin(), inputs.end(), mark->input(0));
    const auto index = static_cast<std::size_t>(found - inputs.begin());
    if (index < network.input_names().size()) names.emplace(site, network.input_names()[index]);
  }
  return names;
}

}  // namespace

struct TensorNames::Impl {
  Impl(const Network& of, std::string_view named) : network(of), tool(named), model(OnnxModelOf(of)) {
    if (model)
      places = std::make_unique<OnnxPlaces>(network, *model);
    else
      inputs = InputsBySite(network);
  }

  std::string Read(const onnx::NodeInput& place) const { return places->NodeOf(place.node).inputs.at(place.index); }

  const Network& network;
  const std::string tool;
  const std::optional<onnx::Model> model;
  std::unique_ptr<OnnxPlaces> places;
  std::map<int, std::string> inputs;
};

TensorNames::TensorNames(const Network& network, std::string_view tool)
    : impl_(std::make_unique<const Impl>(network, tool)) {}

TensorNames::~TensorNames() = default;

NamedWeight TensorNames::WeightOf(std::size_t layer) const {
  const Layer& of = impl_->network.layers()[layer];
  if (!impl_->places) return {WeightName(impl_->network, of), of.channel_axis, false};
  std::optional<NamedWeight> named;
  for (const WeightPlace& place : impl_->places->WeightsOf(layer)) {
    const std::string name = impl_->Read(place.input);
    if (place.direction || (named && named->name != name))
      throw Error(fmt::format("layer {}: {} has no place for a weight that is a part of an ONNX tensor, or several",
                              of.name, impl_->tool));
    const auto& axes = place.axes;
    const auto channels = std::find(axes.begin(), axes.end(), of.channel_axis);
    named = NamedWeight{name, static_cast<int>(channels - axes.begin()), !std::is_sorted(axes.begin(), axes.end())};
  }
  if (!named) throw Error(fmt::format("layer {}: {} finds no ONNX tensor for its weight", of.name, impl_->tool));
  return *named;
}

std::string TensorNames::InputOf(std::size_t layer) const {
  const Layer& of = impl_->network.layers()[layer];
  for (const LayerUse& use : of.uses) {
    if (use.input_site < 0) continue;
    if (!impl_->places) {
      if (const auto found = impl_->inputs.find(use.input_site); found != impl_->inputs.end()) return found->second;
      continue;
    }
    const std::vector<onnx::NodeInput> places = impl_->places->InputsOf(use.input_site);
    if (!places.empty()) return impl_->Read(places.front());
  }
  throw Error(fmt::format(
      "layer {}: {} has no place for an input whose ONNX name is not known; give the network as an ONNX file", of.name,
      impl_->tool));
}

}  // namespace bitplan::exporters
