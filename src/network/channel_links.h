#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "bitplan/network.h"

namespace bitplan {

/// A tensor whose channels can be scaled where they are made and scaled back by all that read them, without a change of
/// any output: what lies between commutes with positive factors (ReLU, pooling, flattening …).
struct ChannelLink {
  /// A linear layer or convolution that reads the channels.
  struct Reader {
    std::size_t layer = 0;
    std::int64_t groups = 1;
    int input_site = -1;
  };

  std::int64_t channels = 0;
  std::optional<std::size_t> made_by;   ///< layer; nothing where a normalization with a weight makes them
  std::vector<std::size_t> parameters;  ///< what makes them: a layer's bias, a normalization's weight and bias
  int channel_dim = -1;                 ///< of the tensor that the readers read, from the back
  std::vector<Reader> readers;
};

/// Every link whose parameters belong to nothing else, in order of execution.
std::vector<ChannelLink> FindChannelLinks(const Network& network);

/// A weight [out, channels / groups, …] with its input channels in front: [channels, out / groups, …].
at::Tensor InputChannelsFirst(const at::Tensor& weight, std::int64_t groups);

/// A number an input channel, in a shape that broadcasts over `weight`, for weights of one group or [out, 1, …].
at::Tensor AlongInputChannels(const at::Tensor& numbers, const at::Tensor& weight, std::int64_t groups);

}  // namespace bitplan
