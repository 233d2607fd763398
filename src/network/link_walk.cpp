#include "link_walk.h"

#include <ATen/core/Tensor.h>
#include <torch/csrc/jit/ir/constants.h>

#include <algorithm>
#include <string>
#include <vector>

#include "network/lowered_graph.h"
#include "network/probe_operator.h"
#include "network/weight_use.h"
#include "vector_operand.h"

namespace bitplan::network {

namespace {

using torch::jit::Node;
using torch::jit::Use;
using torch::jit::Value;

/// f(s x) = s f(x) for s > 0, element by element.
bool IsElementwise(const std::string& op) {
  static const std::set<std::string, std::less<>> names = {
      "relu",       "relu_",  "leaky_relu", "leaky_relu_", "dropout", "feature_dropout", "contiguous",
      "detach",     "clone",  "alias",      "to",          "type_as", "float",           "half",
      "alpha_dropout", "neg", "unchecked_cast"};
  return names.contains(op);
}

/// The same of windows along the axes behind the channels: how many axes; 0: another operator.
int AxesPooled(const std::string& op) {
  static const std::set<std::string, std::less<>> names = {"max_pool",          "avg_pool",      "adaptive_avg_pool",
                                                           "adaptive_max_pool", "upsample_nearest"};
  if (op == "upsample_bilinear2d") return 2;
  if (op.size() < 3 || op.back() != 'd' || !names.contains(op.substr(0, op.size() - 2))) return 0;
  return op[op.size() - 2] - '0';
}

/// Operators that look at an operand's type or shape alone.
bool ReadsFacts(const Node* node, std::size_t operand) {
  static const std::set<std::string, std::less<>> by_second = {"type_as", "to", "expand_as", "view_as", "reshape_as"};
  static const std::set<std::string, std::less<>> by_first = {"zeros_like", "ones_like", "empty_like", "new_zeros",
                                                              "new_ones"};
  return operand == 1 ? by_second.contains(OperatorName(node)) : by_first.contains(OperatorName(node));
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
  if (IsElementwise(op)) return Follow(node->output(), position);
  if (const int axes = AxesPooled(op); axes > 0)
    return position.IsPlain() && position.dim == -1 - axes && Follow(node->output(), position);
  if (op == "mean") return FollowMean(node, position);
  const auto rearranged = Rearranged(position, node);
  return rearranged && Follow(node->output(), *rearranged);
}

bool LinkWalk::FollowTap(const Node* tap, ChannelPosition position) {
  const int site = network_.lowered().SiteOf(tap);
  if (position.IsPlain() && position.dim == -1) position.alike.insert(tap->output());
  const std::vector<Use> uses = tap->output()->uses();
  return std::all_of(uses.begin(), uses.end(), [&](const Use& use) {
    return AddReader(use.user, site, position) || FollowUse(use, position);
  });
}

/// Means over axes behind the channels.
bool LinkWalk::FollowMean(const Node* node, const ChannelPosition& position) {
  if (node->inputs().size() < 3 || !position.IsPlain()) return false;
  const auto axes = torch::jit::toIValue(node->inputs()[1]);
  const auto keep = ConstantBool(node->inputs()[2]);
  if (!axes || !axes->isIntList() || !keep) return false;
  const std::vector<std::int64_t> reduced = axes->toIntVector();
  if (static_cast<int>(reduced.size()) != -position.dim - 1) return false;
  for (const std::int64_t axis : reduced)  // [N, C, …]: as many axes as lie behind the channels
    if (axis < 0 ? axis <= position.dim : axis < 2) return false;
  return Follow(node->output(), {position.channels, *keep ? position.dim : -1});
}

/// x t and x / t: whatever t is, unless it is made of the channels, too.
bool LinkWalk::FollowProduct(const Node* node, std::size_t operand, ChannelPosition position) {
  if (operand > 1 || !met_.insert(node).second) return false;
  if (operand == 1 && OperatorName(node) == "div") return false;
  if (node->inputs().size() > 2) return false;  // a division that rounds
  if (IsTensorValue(node->inputs()[1 - operand])) {  // it may have more axes, or make others longer
    position.rank.reset();
    position.alike.clear();
  }
  return Follow(node->output(), position);
}

/// x + b: a vector of as many numbers along the channels is scaled like them.
bool LinkWalk::FollowSum(const Node* node, std::size_t operand, const ChannelPosition& position) {
  if (operand > 1 || !position.IsPlain() || !met_.insert(node).second) return false;
  const auto vector = ResolveVector(network_.lowered(), node->inputs()[1 - operand]);
  const auto alpha = torch::jit::toIValue(node->inputs().back());
  if (!vector || vector->FromBack() != position.dim || !alpha || !alpha->isScalar()) return false;
  if (alpha->toScalar().toDouble() != 1) return false;
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
