#include "shifts/local_changes.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace bitplan::hessian {

namespace {

/// What a state adds to every element of an output channel of a layer;
/// undefined for nothing.
at::Tensor ChannelChange(const Network& network, const QuantizedState& state, const Layer& layer) {
  const LayerUse& use = layer.uses.front();
  if (const auto shift = state.shifts.find(use.output_site); shift != state.shifts.end())
    return shift->second.flatten();
  if (layer.bias < 0 || use.output_channel_dim >= 0) return {};
  const auto bias = static_cast<std::size_t>(layer.bias);
  return state.parameters[bias] - network.parameters()[bias].value;
}

/// Values [choices, channels] so that they add to [choices, output…].
at::Tensor AlongChannels(const LayerUse& use, const at::Tensor& channels) {
  std::vector<std::int64_t> shape(static_cast<std::size_t>(-use.output_channel_dim), 1);
  shape[0] = channels.size(1);
  shape.insert(shape.begin(), channels.size(0));
  return channels.view(shape);
}

/// [choices, output…] as [n, choices, elements of a sample].
at::Tensor ChangesBySample(const UseRun& run, const at::Tensor& changes) {
  if (run.y_axis < 0) return changes.flatten(1).unsqueeze(0);
  return changes.movedim(run.y_axis + 1, 0).flatten(2);
}

}  // namespace

WeightChanges::WeightChanges(const Network& network, const quantize::SingleChoices& choices,
                             const std::vector<std::size_t>& which) {
  const Layer& layer = network.layers()[static_cast<std::size_t>(choices[which.front()].layers.front())];
  first_use_ = layer.uses.front();
  std::vector<at::Tensor> weights, channels;
  for (const std::size_t i : which) {
    const QuantizedState state = choices.State(i);
    weights.push_back(state.parameters[static_cast<std::size_t>(layer.weight)] - network.Weight(layer));
    channels.push_back(ChannelChange(network, state, layer));
  }
  weights_ = at::stack(weights);
  // Widths that have no correction leave the channels as they are.
  const auto some =
      std::find_if(channels.begin(), channels.end(), [](const at::Tensor& each) { return each.defined(); });
  if (some == channels.end()) return;
  const at::Tensor nothing = at::zeros_like(*some);
  for (at::Tensor& each : channels)
    if (!each.defined()) each = nothing;
  channels_ = at::stack(channels);
}

at::Tensor WeightChanges::At(const UseRun& run) const {
  at::Tensor changes = run.product->WithEach(run.x, weights_);
  // The axes of the output, and with them where the choices' values belong,
  // count from the back.
  if (channels_.defined()) {
    const at::Tensor along = AlongChannels(first_use_, channels_);
    std::vector<std::int64_t> shape = along.sizes().vec();
    shape.insert(shape.begin() + 1, static_cast<std::size_t>(changes.dim() - along.dim()), 1);
    changes.add_(along.view(shape));
  }
  return ChangesBySample(run, changes);
}

at::Tensor InputChange(const Network& network, const QuantizedState& state, int layer, const UseRun& run) {
  const Layer& changed = network.layers()[static_cast<std::size_t>(layer)];
  const at::Tensor weight = network.Weight(changed),
                   corrected = state.parameters[static_cast<std::size_t>(changed.weight)];
  const auto input = state.inputs.find(changed.uses[run.use].input_site);
  at::Tensor change;
  if (input == state.inputs.end())
    change = (*run.product)(run.x, corrected - weight);
  else
    change = (*run.product)(FakeQuantize(run.x, input->second.format, input->second.range), corrected) -
             (*run.product)(run.x, weight);
  if (const at::Tensor channels = ChannelChange(network, state, changed); channels.defined())
    change = change + AlongChannels(changed.uses[run.use], channels.unsqueeze(0)).squeeze(0);
  return ChangesBySample(run, change.unsqueeze(0));
}

}  // namespace bitplan::hessian
