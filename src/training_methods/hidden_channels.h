#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "bitplan/network.h"
#include "network/channel_position.h"
#include "network/lowered_graph.h"

namespace bitplan::training_methods {

/// What a graph computes with the channels that its hidden layers make: those that reach the network's output through
/// another layer only.
class ChannelWalk {
 public:
  /// A convolution or linear layer, and the hidden channels that it reads and makes.
  struct LayerChannels {
    std::size_t layer = 0;
    std::optional<network::ChannelPosition> read;
    bool makes_hidden = false;
  };

  /// `lowered`: the network's graph or a copy. Throws Error as WidenedModelFile does.
  ChannelWalk(const Network& network, const LoweredGraph& lowered);

  const std::vector<LayerChannels>& layers() const { return layers_; }

  /// Other parameters with a number a hidden channel: those of batch norms.
  const std::set<std::size_t>& channel_parameters() const { return channel_parameters_; }

  /// Paddings along hidden channels, and the position of the numbers before and after these in their list.
  const std::map<torch::jit::Node*, std::size_t>& paddings() const { return paddings_; }

 private:
  using Node = torch::jit::Node;
  using Value = torch::jit::Value;
  using ChannelPosition = network::ChannelPosition;

  void FindLayers();
  void FindLast(const Value* value);
  void Visit(Node* node);
  void VisitLayer(Node* node, std::size_t layer);
  std::optional<ChannelPosition> Result(Node* node, const ChannelPosition& read);
  ChannelPosition OfBatchNorm(Node* node, const ChannelPosition& read);
  ChannelPosition OfPadding(Node* node, ChannelPosition read);
  ChannelPosition OfConcat(Node* node) const;
  ChannelPosition OfSeveral(Node* node) const;
  ChannelPosition OfFlatten(Node* node, const ChannelPosition& read) const;
  ChannelPosition OfSlice(Node* node, const ChannelPosition& read) const;
  int AxisFromBack(Node* node, const ChannelPosition& read) const;
  std::optional<ChannelPosition> ChannelsOf(const Value* value) const;
  [[noreturn]] void Refuse(const Node* node) const;

  const Network& network_;
  const LoweredGraph& lowered_;
  std::map<const Node*, std::size_t> layer_of_node_;
  std::set<const Node*> last_;  // layers that make the output
  std::set<const Value*> seen_;
  std::map<const Value*, ChannelPosition> hidden_;
  std::map<const Value*, std::size_t> made_by_;  // layer, for messages
  std::vector<LayerChannels> layers_;
  std::set<std::size_t> channel_parameters_;
  std::map<Node*, std::size_t> paddings_;
};

}  // namespace bitplan::training_methods
