#include "layer_facts.h"

#include <torch/types.h>

#include <algorithm>
#include <cstddef>
#include <optional>

#include "bitplan/fingerprint.h"
#include "curvature/variable_slots.h"
#include "network/layer_product.h"

namespace bitplan::hessian {

namespace {

std::vector<Perturbation> Unmeasured(const std::vector<int>& widths) {
  std::vector<Perturbation> choices;
  for (const int bits : widths) choices.push_back({bits, 0, 0});
  return choices;
}

/// What one sample shows of a layer's shape; `profile` is of the layer.
std::optional<LayerShape> ShapeOf(const Network& network, std::size_t index, const LayerSummary& profile) {
  if (profile.input_shape.size() < 2) return std::nullopt;
  const Layer& layer = network.layers()[index];
  const at::Tensor weight = network.Weight(layer);
  const auto longest = [](auto from, auto to) {
    return from == to ? 1 : std::max<std::int64_t>(*std::max_element(from, to), 1);
  };
  const std::vector<std::int64_t> sides = weight.sizes().vec();
  const auto& input = profile.input_shape;
  LayerShape shape;
  shape.parameters = weight.numel();
  shape.output_channels = weight.size(layer.channel_axis);
  if (!layer.op.starts_with("conv")) {
    shape.input_channels = std::max<std::int64_t>(weight.numel() / shape.output_channels, 1);
    shape.feature_size = longest(input.begin() + 1, input.end() - 1);
    return shape;
  }
  const auto positions = static_cast<std::ptrdiff_t>(sides.size()) - 2;
  shape.input_channels = *(input.end() - positions - 1);
  shape.feature_size = longest(input.end() - positions, input.end());
  shape.kernel_size = longest(sides.begin() + 2, sides.end());
  shape.stride = 1;
  if (const auto product = network::LayerProduct::Of(network, static_cast<int>(index), 0);
      product && product->sliding())
    shape.stride = longest(product->sliding()->stride.begin(), product->sliding()->stride.end());
  shape.depthwise = shape.input_channels > 1 && sides[1] == 1;
  return shape;
}

}  // namespace

std::vector<LayerSensitivity> LayerFacts(const Network& network, const Dataset& data, const ChoiceSpace& choices) {
  const Batch sample = data.Get(0, 1, at::Device(network.device()));
  const NetworkSummary profile = Summarize(network, sample.inputs);
  std::vector<LayerSensitivity> facts;
  for (std::size_t i = 0; i < network.layers().size(); ++i) {
    const Layer& layer = network.layers()[i];
    LayerSensitivity& fact = facts.emplace_back();
    fact.name = layer.name;
    fact.op = layer.op;
    fact.fingerprint = Fingerprint(network, layer);
    fact.weight_count = network.Weight(layer).numel();
    fact.weight.elements = fact.weight_count;
    fact.macs = profile.layers[i].macs;
    fact.input_count = InputSites(layer).empty() ? 0 : profile.layers[i].input_count;
    fact.tied_group = layer.tied_group;
    fact.shape = ShapeOf(network, i, profile.layers[i]);
    fact.weight_choices = Unmeasured(choices.weight_widths);
    fact.activation_choices =
        fact.input_count > 0 ? Unmeasured(choices.activation_widths) : std::vector{Perturbation{}};
  }
  return facts;
}

Perturbation MakePerturbation(int bits, double squared_error, double squared_norm) {
  return {bits, squared_error, squared_norm > 0 ? squared_error / squared_norm : 0};
}

}  // namespace bitplan::hessian
