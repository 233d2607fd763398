#pragma once

#include <map>
#include <set>
#include <utility>

#include "network/channel_links.h"
#include "network/channel_position.h"
#include "network/layer_product.h"

namespace bitplan::network {

/// By layer and input site: what the layers that are used once compute.
using ProductMap = std::map<std::pair<std::size_t, int>, LayerProduct>;

/// What follows a tensor of channels to all that reads them.
class LinkWalk {
 public:
  LinkWalk(const Network& network, const ProductMap& products, ChannelLink& link)
      : network_(network), products_(products), link_(link) {}

  /// Whether all readers are known; they and vectors that are added on the way become part of the link.
  bool Follow(const torch::jit::Value* value, ChannelPosition position);

 private:
  bool FollowUse(const torch::jit::Use& use, const ChannelPosition& position);
  bool FollowTap(const torch::jit::Node* tap, ChannelPosition position);
  bool FollowProduct(const torch::jit::Node* node, std::size_t operand, ChannelPosition position);
  bool FollowSum(const torch::jit::Node* node, std::size_t operand, const ChannelPosition& position);
  bool FollowWeightedSum(const torch::jit::Node* node, std::size_t operand, const ChannelPosition& position);
  bool AddReader(const torch::jit::Node* node, int site, const ChannelPosition& position);
  bool Reads(const torch::jit::Node* node, std::size_t layer) const;

  const Network& network_;
  const ProductMap& products_;
  ChannelLink& link_;
  std::set<const torch::jit::Node*> met_;  // operators of two operands: both may not be made of the channels
};

}  // namespace bitplan::network
