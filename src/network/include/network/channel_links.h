#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "bitplan/network.h"

namespace bitplan::network {

/// A tensor whose channels can be scaled where they are made and scaled back by all that read them, without a change of
/// any output: what lies between commutes with positive factors (ReLU, pooling, flattening, products with another
/// tensor, the weighted sums of attention …).
struct ChannelLink {
  /// A linear layer, matrix product or convolution that reads the channels.
  struct Reader {
    std::size_t layer = 0;
    std::int64_t groups = 1;
    int weight_axis = 1;  ///< of the weight, along which input channels lie (those of a group)
    int input_site = -1;
    int channel_dim = -1;  ///< of the tensor that it reads, from the back
  };

  /// A parameter that channels are multiplied by, or that is added to them: after `offset` is added to it, as some
  /// norms multiply by 1 + w.
  struct Factor {
    std::size_t parameter = 0;
    double offset = 0;
  };

  std::int64_t channels = 0;
  std::optional<std::size_t> made_by;  ///< layer; nothing where a normalization's weight or another vector makes them
  std::vector<Factor> factors;         ///< what makes them beside its weight: biases, a normalization's weight
  std::vector<Reader> readers;
};

/// Every link whose parameters belong to nothing else, in order of execution.
std::vector<ChannelLink> FindChannelLinks(const Network& network);

/// What makes a link's channels divided by `scale` [channels], what reads them multiplied, in the values of the
/// network's parameters.
void ScaleLink(const Network& network, const ChannelLink& link, const at::Tensor& scale,
               std::vector<at::Tensor>& values);

/// A reader's weight with its input channels in front: [channels, …].
at::Tensor InputChannelsFirst(const at::Tensor& weight, const ChannelLink::Reader& reader);

/// A number an input channel, in a shape that broadcasts over the reader's weight.
at::Tensor AlongInputChannels(const at::Tensor& numbers, const at::Tensor& weight, const ChannelLink::Reader& reader);

}  // namespace bitplan::network
