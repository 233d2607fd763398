#include "hidden_channels.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "bitplan/error.h"
#include "network/operator_arguments.h"
#include "network/operator_traits.h"
#include "network/probe_operator.h"

namespace bitplan::training_methods {

namespace {

using network::Argument;
using network::Has;
using network::OperatorTrait;

/// Whether an operator treats each channel alone, and all of them in the same way.
bool TreatsChannelsAlike(const torch::jit::Node* node) {
  return node->kind() == network::TapSymbol() || Has(node, OperatorTrait::TreatsChannelsAlike);
}

/// Of a tensor [N, C, …], axes may be counted from the front as well.
bool IsInFront(const network::ChannelPosition& channels) { return channels.dim < -1; }

}  // namespace

ChannelWalk::ChannelWalk(const Network& network, const LoweredGraph& lowered) : network_(network), lowered_(lowered) {
  FindLayers();
  for (const Value* result : lowered.graph->outputs()) FindLast(result);
  for (Node* node : network::AllNodes(lowered.graph->block())) Visit(node);
  for (Node* node : network::AllNodes(lowered.graph->block()))
    for (const torch::jit::Block* block : node->blocks())
      for (const Value* result : block->outputs())
        if (hidden_.contains(result)) Refuse(block->return_node());
  if (std::none_of(layers_.begin(), layers_.end(), [](const LayerChannels& layer) { return layer.makes_hidden; }))
    throw Error("the network has no hidden convolution or linear layer that could be widened");
}

void ChannelWalk::FindLayers() {
  for (std::size_t i = 0; i < network_.layers().size(); ++i) {
    const Layer& layer = network_.layers()[i];
    if (layer.channel_axis != 0 ||
        !(layer.op == "linear" || layer.op == "conv1d" || layer.op == "conv2d" || layer.op == "conv3d"))
      continue;
    const Value* const weight = lowered_.ParameterInput(static_cast<std::size_t>(layer.weight));
    for (const torch::jit::Use& use : weight->uses())
      if (network::ArgumentPosition(use.user, "weight") == use.offset) layer_of_node_[use.user] = i;
  }
}

/// The layers behind whose results no other layer follows.
void ChannelWalk::FindLast(const Value* value) {
  if (!seen_.insert(value).second) return;
  const Node* const node = value->node();
  if (layer_of_node_.contains(node)) {
    last_.insert(node);
    return;
  }
  for (const Value* input : node->inputs()) FindLast(input);
  for (const torch::jit::Block* block : node->blocks())
    for (const Value* result : block->outputs()) FindLast(result);
}

std::optional<network::ChannelPosition> ChannelWalk::ChannelsOf(const Value* value) const {
  const auto found = hidden_.find(value);
  return found == hidden_.end() ? std::nullopt : std::optional(found->second);
}

void ChannelWalk::Refuse(const Node* node) const {
  std::string maker = "a hidden layer";
  for (const Value* input : node->inputs())
    if (const auto found = made_by_.find(input); found != made_by_.end())
      maker = fmt::format("layer '{}'", network_.layers()[found->second].name);
  throw Error(fmt::format(
      "the network cannot be widened: {} reads the channels of {}, and not only convolutions, linear layers and "
      "what treats all channels alike do",
      node->kind() == c10::prim::Return ? "a branch or loop" : network::OperatorName(node), maker));
}

void ChannelWalk::Visit(Node* node) {
  if (const auto layer = layer_of_node_.find(node); layer != layer_of_node_.end())
    return VisitLayer(node, layer->second);
  const auto inputs = node->inputs();
  const auto first =
      std::find_if(inputs.begin(), inputs.end(), [&](const Value* input) { return hidden_.contains(input); });
  if (first == inputs.end()) return;
  if (node->kind() == c10::prim::ListConstruct) {
    made_by_[node->output()] = made_by_.at(*first);
    hidden_[node->output()] = OfSeveral(node);
    return;
  }
  const auto result = Result(node, hidden_.at(*first));
  if (!result) return;
  hidden_[node->output()] = *result;
  made_by_[node->output()] = made_by_.at(*first);
}

void ChannelWalk::VisitLayer(Node* node, std::size_t layer) {
  const Layer& of = network_.layers()[layer];
  const auto index = static_cast<std::size_t>(of.weight);
  if (of.uses.size() != 1 || of.adds_shared_bias || network::CountReaders(lowered_.ParameterInput(index)) != 1)
    throw Error(
        fmt::format("the network cannot be widened: layer '{}' is used several times, or its bias is", of.name));
  const at::Tensor weight = network_.Weight(of);
  LayerChannels channels{layer, ChannelsOf(Argument(node, "input")), !last_.contains(node)};
  if (channels.read) {
    const bool linear = of.op == "linear";
    const int contracted = linear ? -1 : 1 - static_cast<int>(weight.dim());
    if (channels.read->dim != contracted || (channels.read->flattened && !linear)) Refuse(node);
  }
  if (channels.makes_hidden) {
    const int dim = of.uses[0].output_channel_dim;
    hidden_[node->output()] = {weight.size(0), dim};
    made_by_[node->output()] = layer;
  }
  layers_.push_back(channels);
}

/// Of an operator that reads hidden channels; nothing where it only asks for a shape.
std::optional<network::ChannelPosition> ChannelWalk::Result(Node* node, const ChannelPosition& read) {
  if (network::AsksForFact(node)) return std::nullopt;
  if (!node->blocks().empty() || node->outputs().size() != 1) Refuse(node);
  const std::string op = network::OperatorName(node);
  if (Has(node, OperatorTrait::CombinesTensors)) return OfSeveral(node);
  if (op == "cat") return OfConcat(node);
  if (!ChannelsOf(network::Subject(node))) Refuse(node);
  if (TreatsChannelsAlike(node)) return read;
  if (op == "batch_norm") return OfBatchNorm(node, read);
  if (op == "pad" || op == "constant_pad_nd") return OfPadding(node, read);
  if (op == "flatten" || op == "view" || op == "reshape") return OfFlatten(node, read);
  if (op == "slice") return OfSlice(node, read);
  const auto averaged = op == "mean" ? network::Averaged(read, node) : std::nullopt;
  if (!averaged) Refuse(node);
  return averaged;
}

network::ChannelPosition ChannelWalk::OfBatchNorm(Node* node, const ChannelPosition& read) {
  for (const char* const name : {"weight", "bias", "running_mean", "running_var"}) {
    const Value* const value = Argument(node, name);
    const auto parameter = lowered_.ParameterOf(value);
    if (!parameter && value->mustBeNone()) continue;
    if (!parameter || network::CountReaders(value) != 1 || !IsInFront(read)) Refuse(node);
    channel_parameters_.insert(*parameter);
  }
  return read;
}

/// Numbers come in pairs, from the last axis on.
network::ChannelPosition ChannelWalk::OfPadding(Node* node, ChannelPosition read) {
  const auto numbers = network::IntsArgument(node, "pad");
  if (!numbers || read.flattened) Refuse(node);
  const auto position = static_cast<std::size_t>(2 * (-read.dim - 1));
  if (position + 1 >= numbers->size()) return read;
  const std::int64_t before = (*numbers)[position], after = (*numbers)[position + 1];
  if (before < 0 || after < 0) Refuse(node);
  if (network::OperatorName(node) == "pad") {
    const auto mode = network::ConstantArgument(node, "mode");
    if ((before > 0 || after > 0) && !(mode && mode->isString() && mode->toStringRef() == "constant")) Refuse(node);
  }
  if (before > 0 || after > 0) paddings_[node] = position;
  read.channels += before + after;
  return read;
}

/// Of all that are tensors: hidden channels in the same place, or in none.
network::ChannelPosition ChannelWalk::OfSeveral(Node* node) const {
  std::optional<ChannelPosition> all;
  for (const Value* input : node->inputs()) {
    if (!network::IsTensorValue(input)) continue;
    const auto channels = ChannelsOf(input);
    if (!channels || (all && (channels->dim != all->dim || channels->flattened != all->flattened ||
                              (node->kind() != c10::prim::ListConstruct && channels->channels != all->channels))))
      Refuse(node);
    if (!all)
      all = channels;
    else if (node->kind() == c10::prim::ListConstruct)
      all->channels += channels->channels;
  }
  if (!all) Refuse(node);
  return *all;
}

network::ChannelPosition ChannelWalk::OfConcat(Node* node) const {
  const ChannelPosition parts = hidden_.at(Argument(node, "tensors"));
  if (parts.flattened || AxisFromBack(node, parts) != parts.dim) Refuse(node);
  return parts;
}

/// Sizes that hold the number of features would be wrong in a wider network.
network::ChannelPosition ChannelWalk::OfFlatten(Node* node, const ChannelPosition& read) const {
  const std::string op = network::OperatorName(node);
  if (!IsInFront(read)) Refuse(node);
  if (op == "flatten") {
    if (network::IntArgument(node, "start_dim") != 1 || network::IntArgument(node, "end_dim") != -1) Refuse(node);
  } else {
    const Value* const shape = Argument(node, op == "view" ? "size" : "shape");  // [N, −1]
    const Node* const sizes = shape ? shape->node() : node;
    if (sizes->kind() != c10::prim::ListConstruct || sizes->inputs().size() != 2 ||
        network::ConstantInt(sizes->inputs()[1]) != -1 || network::ConstantInt(sizes->inputs()[0]))
      Refuse(node);
  }
  ChannelPosition flat{read.channels, -1};
  flat.flattened = true;
  return flat;
}

network::ChannelPosition ChannelWalk::OfSlice(Node* node, const ChannelPosition& read) const {
  const auto start = network::IntArgument(node, "start"), end = network::IntArgument(node, "end");
  const bool all = (Argument(node, "start")->mustBeNone() || start == 0) && network::IntArgument(node, "step") == 1 &&
                   (Argument(node, "end")->mustBeNone() || end.value_or(0) >= read.channels);
  if (!all && AxisFromBack(node, read) == read.dim) Refuse(node);
  return read;
}

/// The axis that an operator works along.
int ChannelWalk::AxisFromBack(Node* node, const ChannelPosition& read) const {
  const auto number = network::IntArgument(node, "dim");
  if (!number || (*number >= 0 && !IsInFront(read))) Refuse(node);
  return static_cast<int>(*number < 0 ? *number : *number - (1 - read.dim));
}

}  // namespace bitplan::training_methods
