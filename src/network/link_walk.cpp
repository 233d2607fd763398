#include "link_walk.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <string>
#include <vector>

#include "network/lowered_graph.h"
#include "network/operator_arguments.h"
#include "network/operator_traits.h"
#include "network/probe_operator.h"
#include "network/weight_use.h"
#include "vector_operand.h"

namespace bitplan::network {

namespace {

using torch::jit::Node;
using torch::jit::Use;
using torch::jit::Value;

/// The axes behind the channels that an operator works along window by window, f(s x) = s f(x) for s > 0; 0: another
/// operator.
int AxesPooled(const std::string& op) {
  const bool pools = Has(op, OperatorTrait::MaxPool) || Has(op, OperatorTrait::AveragePool);
  return pools || Has(op, OperatorTrait::Upsampling) ? OperatorAxes(op) : 0;
}

/// Operators that look at an operand's type or shape alone.
bool ReadsFacts(const Node* node, std::size_t operand) {
  return Has(node, operand == 1 ? OperatorTrait::ReadsFactsOfSecond : OperatorTrait::ReadsFactsOfFirst);
}

}  // namespace

bool LinkWalk::Follow(const Value* value, ChannelPosition position) {
  if (position.IsPlain() && position.dim == -1) position.alike.insert(value);
  const std::vector<Use> uses = value->uses();
  return std::all_of(uses.begin(), uses.end(), [&](const Use& use) { return FollowUse(use, position); });
}

bool LinkWalk::FollowUse(const Use& use, const ChannelPosition& position) {
  const Node* const node = use.user;
  if (node->kind() == TapSymbol()) return FollowTap(node, position);
  if (node->outputs().empty() || node->kind() == c10::prim::Return) return false;
  if (!IsTensorValue(node->outputs()[0])) return AsksForFact(node);
  if (ReadsFacts(node, use.offset)) return true;
  if (node->outputs().size() != 1) return false;
  const std::string op = OperatorName(node);
  if (op == "mul" || op == "div") return FollowProduct(node, use.offset, position);
  if (op == "add") return FollowSum(node, use.offset, position);
  if (op == "matmul") return FollowWeightedSum(node, use.offset, position);
  if (use.offset != 0) return false;
  if (Has(op, OperatorTrait::Homogeneous)) return Follow(node->output(), position);
  if (const int axes = AxesPooled(op); axes > 0)
    return position.IsPlain() && position.dim == -1 - axes && Follow(node->output(), position);
  const auto moved = op == "mean" ? Averaged(position, node) : Rearranged(position, node);
  return moved && Follow(node->output(), *moved);
}

bool LinkWalk::FollowTap(const Node* tap, ChannelPosition position) {
  const int site = network_.lowered().SiteOf(tap);
  if (position.IsPlain() && position.dim == -1) position.alike.insert(tap->output());
  const std::vector<Use> uses = tap->output()->uses();
  return std::all_of(uses.begin(), uses.end(),
                     [&](const Use& use) { return AddReader(use.user, site, position) || FollowUse(use, position); });
}

/// x t and x / t: whatever t is, unless it is made of the channels, too.
bool LinkWalk::FollowProduct(const Node* node, std::size_t operand, ChannelPosition position) {
  const Value* const factor = OtherArgument(node, operand);
  if (!factor || !met_.insert(node).second) return false;
  if (operand == 1 && OperatorName(node) == "div") return false;
  if (node->inputs().size() > 2) return false;  // a division that rounds
  if (IsTensorValue(factor)) {                  // it may have more axes, or make others longer
    position.rank.reset();
    position.alike.clear();
  }
  return Follow(node->output(), position);
}

/// x + b: a vector of as many numbers along the channels is scaled like them.
bool LinkWalk::FollowSum(const Node* node, std::size_t operand, const ChannelPosition& position) {
  const Value* const added = OtherArgument(node, operand);
  if (!added || !position.IsPlain() || !met_.insert(node).second) return false;
  const auto vector = ResolveVector(network_.lowered(), added);
  if (!vector || vector->FromBack() != position.dim || NumberArgument(node, "alpha") != 1) return false;
  if (network_.parameters()[vector->parameter].value.numel() != position.channels) return false;
  link_.factors.push_back({vector->parameter, vector->offset});
  ChannelPosition after = position;
  after.rank.reset();
  return Follow(node->output(), after);
}

/// P x, sums over the axis in front of the channels, weighted as attention weights them: for each head alone.
bool LinkWalk::FollowWeightedSum(const Node* node, std::size_t operand, const ChannelPosition& position) {
  if (operand != 1 || position.flattened || position.dim != -1) return false;
  if (position.heads.value_or(-3) > -3 || !met_.insert(node).second) return false;
  ChannelPosition after = position;
  after.alike.clear();
  return Follow(node->output(), after);
}

/// Whether `node` is where the layer reads its weight, which nothing else does.
bool LinkWalk::Reads(const Node* node, std::size_t layer) const {
  const LoweredGraph& lowered = network_.lowered();
  const auto parameter = static_cast<std::size_t>(network_.layers()[layer].weight);
  const auto reading = ReadingOf(lowered, node, parameter);
  if (!reading) return false;
  for (const Value* value = reading->first.weight; CountReaders(value) == 1; value = value->node()->inputs()[0])
    if (lowered.ParameterOf(value)) return true;
  return false;
}

bool LinkWalk::AddReader(const Node* node, int site, const ChannelPosition& position) {
  for (std::size_t i = 0; i < network_.layers().size(); ++i) {
    const Layer& layer = network_.layers()[i];
    if (layer.uses.size() != 1 || layer.uses[0].input_site != site) continue;
    const auto product = products_.find({i, site});
    if (product == products_.end() || !Reads(node, i)) continue;
    const at::Tensor weight = network_.Weight(layer);
    ChannelLink::Reader reader{i, 1, 1, site, -1};
    if (const auto& contraction = product->second.contraction()) {
      if (weight.dim() != 2) return false;
      reader.weight_axis = static_cast<int>(contraction->weight_axis);
      reader.channel_dim = contraction->input_axis;
    } else {
      const Windows& windows = *product->second.windows();
      reader.groups = windows.transposed ? 1 : windows.groups;
      reader.weight_axis = windows.transposed ? 0 : 1;
      reader.channel_dim = 1 - static_cast<int>(weight.dim());
      if (position.flattened) return false;
    }
    if (position.heads || reader.channel_dim != position.dim) return false;
    if (weight.size(reader.weight_axis) * reader.groups != position.channels) return false;
    link_.readers.push_back(reader);
    return true;
  }
  return false;
}

}  // namespace bitplan::network
