#include "layer_facts.h"

#include <torch/types.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <set>

#include "activation_errors.h"
#include "curvature/variable_slots.h"
#include "network/layer_product.h"
#include "quantize/squared_norm.h"

namespace bitplan::hessian {

namespace {

std::vector<int> Ascending(const std::vector<int>& widths) {
  const std::set<int> sorted(widths.begin(), widths.end());
  return {sorted.begin(), sorted.end()};
}

Perturbation MakePerturbation(int bits, double squared_error, double squared_norm) {
  return {bits, squared_error, squared_norm > 0 ? squared_error / squared_norm : 0};
}

std::vector<Perturbation> ActivationChoices(const InputError& error, const std::vector<int>& widths) {
  if (error.elements == 0) return {Perturbation{}};
  std::vector<Perturbation> choices;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    choices.push_back(MakePerturbation(widths[i], error.squared_errors[i], error.squared_norm));
  }
  return choices;
}

std::vector<Perturbation> Unmeasured(const std::vector<int>& widths) {
  std::vector<Perturbation> choices;
  for (const int bits : Ascending(widths)) choices.push_back({bits, 0, 0});
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

std::vector<LayerSensitivity> LayerFacts(const Network& network, const Dataset& data, const AnalyzeOptions& options) {
  const Batch sample = data.Get(0, 1, at::Device(network.device()));
  const NetworkSummary profile = Summarize(network, sample.inputs);
  std::vector<LayerSensitivity> facts;
  for (std::size_t i = 0; i < network.layers().size(); ++i) {
    const Layer& layer = network.layers()[i];
    LayerSensitivity& fact = facts.emplace_back();
    fact.name = layer.name;
    fact.op = layer.op;
    fact.weight_count = network.Weight(layer).numel();
    fact.weight.elements = fact.weight_count;
    fact.macs = profile.layers[i].macs;
    fact.input_count = InputSites(layer).empty() ? 0 : profile.layers[i].input_count;
    fact.tied_group = layer.tied_group;
    fact.shape = ShapeOf(network, i, profile.layers[i]);
    fact.weight_choices = Unmeasured(options.weight_bits);
    fact.activation_choices = fact.input_count > 0 ? Unmeasured(options.activation_bits) : std::vector{Perturbation{}};
  }
  return facts;
}

void AddWeightChoices(const Network& network, const quantize::QuantizedWeights& weights,
                      std::vector<LayerSensitivity>& layers) {
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const at::Tensor weight = network.Weight(network.layers()[i]);
    const double squared_norm = quantize::SquaredNorm(weight);
    for (Perturbation& choice : layers[i].weight_choices) {
      const double squared_error = quantize::SquaredNorm(weights.At(i, choice.bits).value - weight);
      choice = MakePerturbation(choice.bits, squared_error, squared_norm);
    }
  }
}

std::vector<std::int64_t> AddActivationChoices(const Network& network, const Dataset& data,
                                               const AnalyzeOptions& options, std::vector<LayerSensitivity>& layers) {
  const std::vector<int> widths = Ascending(options.activation_bits);
  const std::vector<InputError> errors = MeasureInputErrors(
      network, data, widths, options.activation_format, {options.batch_size, options.memory_bytes}, options.progress);
  std::vector<std::int64_t> elements;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    layers[i].activation_choices = ActivationChoices(errors[i], widths);
    layers[i].activation.elements = errors[i].elements;
    elements.push_back(errors[i].elements);
  }
  return elements;
}

}  // namespace bitplan::hessian
