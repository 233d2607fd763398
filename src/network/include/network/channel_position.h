#pragma once

#include <cstdint>
#include <optional>
#include <set>

#include "network/lowered_graph.h"

namespace bitplan::network {

/// Where in a tensor the channels that some operator made lie, as far as the graph tells it.
struct ChannelPosition {
  std::int64_t channels = 0;
  int dim = -1;  ///< their axis, from the back; where they are split, that of their inner part
  /// Axis of the outer part, which is in front: heads of attention, each with as many channels.
  std::optional<int> heads = {};
  std::optional<std::int64_t> rank = {};  ///< of the tensor, where it is known
  /// A reshape in row-major order put channels last, provided that the last axis is as long as there are channels: a
  /// layer of so many input features is the proof.
  bool flattened = false;
  /// Tensors whose axes but the last are as long as this one's, while channels lie along the last.
  std::set<const torch::jit::Value*> alike = {};

  bool IsPlain() const { return !heads && !flattened; }
};

/// The position in a mean over all axes behind the channels; nothing where it is over others, or a run tells over
/// which.
std::optional<ChannelPosition> Averaged(const ChannelPosition& position, const torch::jit::Node* node);

/// The position in the result of an operator that puts the elements of its first operand in another arrangement
/// (view, reshape, flatten, unflatten, transpose, permute); nothing for other operators and where channels are mixed
/// with other axes, or may be.
std::optional<ChannelPosition> Rearranged(const ChannelPosition& position, const torch::jit::Node* node);

}  // namespace bitplan::network
