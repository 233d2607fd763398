// What of a network in training its module takes.
#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "bitplan/error.h"
#include "network/batch_norm.h"
#include "trained_network.h"

namespace bitplan::train {

namespace {

using Values = std::map<std::string, at::Tensor>;

/// A layer, and the names of its batch norm's parameters; empty of those that it has not.
struct NormNames {
  std::string weight, bias, scale, offset, mean, variance;
  double epsilon = 0;
};

NormNames NamesOf(const Network& unfolded, const Layer& layer, const network::BatchNorm& norm) {
  const auto name = [&](std::size_t index) { return unfolded.parameters()[index].name; };
  NormNames names{
      name(static_cast<std::size_t>(layer.weight)), "", "", "", name(norm.mean), name(norm.variance), norm.epsilon};
  if (layer.bias >= 0) names.bias = name(static_cast<std::size_t>(layer.bias));
  if (norm.scale) names.scale = name(*norm.scale);
  if (norm.offset) names.offset = name(*norm.offset);
  return names;
}

/// The folded weight is the layer's own; the batch norm adds the folded bias, and is 1 otherwise.
Values FoldedForGood(const NormNames& names, const at::Tensor& weight, const at::Tensor& bias) {
  Values values{{names.weight, weight}, {names.variance, at::full_like(bias, 1 - names.epsilon)}};
  if (!names.bias.empty()) values[names.bias] = at::zeros_like(bias);
  if (!names.scale.empty()) values[names.scale] = at::ones_like(bias);
  values[names.mean] = names.offset.empty() ? -bias : at::zeros_like(bias);
  if (!names.offset.empty()) values[names.offset] = bias;
  return values;
}

/// What was trained unfolded. `weight` is the folded one of the float file, which a quantizer may have changed.
Values Unfolded(const NormNames& names, const NormedLayer& norm, const at::Tensor& weight) {
  Values values{{names.mean, norm.mean}, {names.variance, norm.variance}, {names.weight, norm.weight}};
  if (!names.bias.empty()) values[names.bias] = norm.bias;
  if (!names.scale.empty()) values[names.scale] = norm.scale;
  if (!names.offset.empty()) values[names.offset] = norm.offset;
  if (!at::equal(weight, FoldedWeight(norm))) {
    const at::Tensor scale =
        network::WeightScale(weight, norm.scale / at::sqrt(norm.variance + norm.epsilon), norm.channel_axis);
    values[names.weight] = at::where(scale == 0, norm.weight, weight / scale);
  }
  return values;
}

using Place = std::pair<const void*, std::vector<std::int64_t>>;

Place PlaceOf(const at::Tensor& tensor) { return {tensor.const_data_ptr(), tensor.sizes().vec()}; }

/// The state, its tensors replaced by those of the same name, or tied to one of a name.
std::vector<Parameter> Replaced(std::vector<Parameter> state, const Values& values) {
  std::map<Place, at::Tensor> of_place;
  for (const Parameter& each : state)
    if (const auto found = values.find(each.name); found != values.end() && each.value.numel() > 0)
      of_place.emplace(PlaceOf(each.value), found->second);
  for (Parameter& each : state) {
    const auto found = values.find(each.name);
    const auto tied = of_place.find(PlaceOf(each.value));
    if (found == values.end() && tied == of_place.end()) continue;
    const at::Tensor& value = found == values.end() ? tied->second : found->second;
    if (value.sizes() != each.value.sizes())
      throw Error(fmt::format("'{}' has shape {} in the module, and {} after training", each.name,
                              fmt::join(each.value.sizes(), "x"), fmt::join(value.sizes(), "x")));
    each.value = value.detach().to(at::kCPU, each.value.scalar_type());
  }
  return state;
}

void RequirePlaces(const Network& network, const std::vector<Parameter>& state) {
  for (const Parameter& trained : network.parameters()) {
    if (!trained.trainable || network.lowered().folded_norms.contains(trained.name)) continue;
    const auto named = [&](const Parameter& each) { return each.name == trained.name; };
    if (std::none_of(state.begin(), state.end(), named))
      throw Error(fmt::format(
          "'{}' is no tensor of the module: it is computed from some (weight norm and the like), into which "
          "what was trained cannot be taken apart; take the trained model file instead",
          trained.name));
  }
}

}  // namespace

std::map<std::string, at::Tensor> TrainedNetwork::NormedValues(const Network& unfolded) const {
  const std::vector<at::Tensor> folded = FloatValues();
  Values values;
  for (const auto& [where, norm] : network::FindBatchNorms(unfolded.lowered())) {
    const auto follows = [site = where](const Layer& layer) { return layer.uses[0].output_site == site; };
    const auto found = std::find_if(unfolded.layers().begin(), unfolded.layers().end(), follows);
    if (found == unfolded.layers().end()) continue;
    const NormNames names = NamesOf(unfolded, *found, norm);
    if (!float_network_.lowered().folded_norms.contains(names.weight)) continue;
    const auto index = static_cast<std::size_t>(found - unfolded.layers().begin());
    const Layer& layer = float_network_.layers()[index];
    const at::Tensor& weight = folded[static_cast<std::size_t>(layer.weight)];
    values.merge(layers_[index].norm ? Unfolded(names, *layers_[index].norm, weight)
                                     : FoldedForGood(names, weight, folded[static_cast<std::size_t>(layer.bias)]));
  }
  return values;
}

std::vector<Parameter> TrainedNetwork::State(const Network& unfolded, std::vector<Parameter> of_file) const {
  const at::NoGradGuard no_grad;
  if (!inputs_.ChannelBounds().empty())
    throw Error(
        "the inputs of layers are bounded channel by channel, for which the module has no place: leave out its "
        "state, or train by another method");
  RequirePlaces(unfolded, of_file);
  Values values = NormedValues(unfolded);
  const std::vector<at::Tensor> folded = FloatValues();
  for (std::size_t i = 0; i < folded.size(); ++i) values.try_emplace(float_network_.parameters()[i].name, folded[i]);
  return Replaced(std::move(of_file), values);
}

}  // namespace bitplan::train
