#include "hidden_channels.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <torch/csrc/jit/ir/constants.h>

#include <algorithm>
#include <string>

#include "bitplan/error.h"
#include "network/probe_operator.h"

namespace bitplan::training_methods {

namespace {

using torch::jit::toIValue;
using Names = std::set<std::string, std::less<>>;

/// Each channel of the result is the same function of that channel of operand 0.
bool TreatsChannelsAlike(const std::string& op) {
  static const Names names = {"relu",
                              "relu_",
                              "relu6",
                              "relu6_",
                              "hardtanh",
                              "hardtanh_",
                              "leaky_relu",
                              "leaky_relu_",
                              "elu",
                              "elu_",
                              "gelu",
                              "silu",
                              "silu_",
                              "mish",
                              "sigmoid",
                              "sigmoid_",
                              "tanh",
                              "tanh_",
                              "hardswish",
                              "hardswish_",
                              "hardsigmoid",
                              "softplus",
                              "clamp",
                              "clamp_",
                              "clamp_min",
                              "neg",
                              "abs",
                              "dropout",
                              "dropout_",
                              "feature_dropout",
                              "max_pool1d",
                              "max_pool2d",
                              "max_pool3d",
                              "avg_pool1d",
                              "avg_pool2d",
                              "avg_pool3d",
                              "adaptive_avg_pool1d",
                              "adaptive_avg_pool2d",
                              "adaptive_avg_pool3d",
                              "contiguous",
                              "detach",
                              "clone",
                              "alias",
                              "upsample_nearest1d",
                              "upsample_nearest2d",
                              "upsample_nearest3d",
                              "upsample_bilinear2d"};
  return names.contains(op);
}

bool CombinesTensors(const std::string& op) {
  static const Names names = {"add", "add_", "sub", "sub_", "mul", "mul_", "div", "div_", "maximum", "minimum"};
  return names.contains(op);
}

bool IsTensor(const torch::jit::Value* value) { return value->type()->isSubtypeOf(*c10::TensorType::get()); }

std::optional<std::int64_t> ConstantInt(const torch::jit::Value* value) {
  const auto constant = toIValue(value);
  return constant && constant->isInt() ? std::optional(constant->toInt()) : std::nullopt;
}

std::optional<std::vector<std::int64_t>> ConstantInts(const torch::jit::Value* value) {
  if (const auto constant = toIValue(value); constant && constant->isIntList()) return constant->toIntVector();
  return std::nullopt;
}

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
      if (use.offset == 1) layer_of_node_[use.user] = i;
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

std::optional<HiddenChannels> ChannelWalk::ChannelsOf(const Value* value) const {
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
  LayerChannels channels{layer, ChannelsOf(node->inputs()[0]), !last_.contains(node)};
  if (channels.read) {
    const bool linear = of.op == "linear";
    const int contracted = linear ? -1 : 1 - static_cast<int>(weight.dim());
    if (channels.read->dim != contracted || (channels.read->flattened && !linear)) Refuse(node);
  }
  if (channels.makes_hidden) {
    const int dim = of.uses[0].output_channel_dim;
    hidden_[node->output()] = {weight.size(0), dim, dim < -1, false};
    made_by_[node->output()] = layer;
  }
  layers_.push_back(channels);
}

/// Of an operator that reads hidden channels; nothing where it only asks for a shape.
std::optional<HiddenChannels> ChannelWalk::Result(Node* node, const HiddenChannels& read) {
  if (network::AsksForFact(node)) return std::nullopt;
  if (!node->blocks().empty() || node->outputs().size() != 1) Refuse(node);
  const std::string op = network::OperatorName(node);
  if (CombinesTensors(op)) return OfSeveral(node);
  if (op == "cat") return OfConcat(node);
  if (!ChannelsOf(node->inputs()[0])) Refuse(node);
  if (node->kind() == network::TapSymbol() || TreatsChannelsAlike(op)) return read;
  if (op == "batch_norm") return OfBatchNorm(node, read);
  if (op == "pad" || op == "constant_pad_nd") return OfPadding(node, read);
  if (op == "flatten" || op == "view" || op == "reshape") return OfFlatten(node, read);
  if (op == "mean") return OfMean(node, read);
  if (op == "slice") {
    const auto start = ConstantInt(node->inputs()[2]), step = ConstantInt(node->inputs()[4]),
               end = ConstantInt(node->inputs()[3]);
    const bool all = (toIValue(node->inputs()[2])->isNone() || start == 0) && step == 1 &&
                     (toIValue(node->inputs()[3])->isNone() || end.value_or(0) >= read.count);
    if (!all && FromBack(node, node->inputs()[1], read) == read.dim) Refuse(node);
    return read;
  }
  Refuse(node);
}

HiddenChannels ChannelWalk::OfBatchNorm(Node* node, const HiddenChannels& read) {
  for (std::size_t operand = 1; operand <= 4; ++operand) {
    const Value* const value = node->inputs()[operand];
    const auto parameter = lowered_.ParameterOf(value);
    if (!parameter && toIValue(value) && toIValue(value)->isNone()) continue;
    if (!parameter || network::CountReaders(value) != 1 || !read.spatial) Refuse(node);
    channel_parameters_.insert(*parameter);
  }
  return read;
}

/// Numbers come in pairs, from the last axis on.
HiddenChannels ChannelWalk::OfPadding(Node* node, HiddenChannels read) {
  const auto numbers = ConstantInts(node->inputs()[1]);
  if (!numbers || read.flattened) Refuse(node);
  const auto position = static_cast<std::size_t>(2 * (-read.dim - 1));
  if (position + 1 >= numbers->size()) return read;
  const std::int64_t before = (*numbers)[position], after = (*numbers)[position + 1];
  if (before < 0 || after < 0) Refuse(node);
  if (network::OperatorName(node) == "pad") {
    const auto mode = toIValue(node->inputs()[2]);
    if ((before > 0 || after > 0) && !(mode && mode->isString() && mode->toStringRef() == "constant")) Refuse(node);
  }
  if (before > 0 || after > 0) paddings_[node] = position;
  read.count += before + after;
  return read;
}

/// Of all that are tensors: hidden channels in the same place, or in none.
HiddenChannels ChannelWalk::OfSeveral(Node* node) const {
  std::optional<HiddenChannels> all;
  for (const Value* input : node->inputs()) {
    if (!IsTensor(input)) continue;
    const auto channels = ChannelsOf(input);
    if (!channels || (all && (channels->dim != all->dim || channels->flattened != all->flattened ||
                              (node->kind() != c10::prim::ListConstruct && channels->count != all->count))))
      Refuse(node);
    if (!all)
      all = channels;
    else if (node->kind() == c10::prim::ListConstruct)
      all->count += channels->count;
  }
  if (!all) Refuse(node);
  return *all;
}

HiddenChannels ChannelWalk::OfConcat(Node* node) const {
  const HiddenChannels parts = hidden_.at(node->inputs()[0]);
  if (parts.flattened || FromBack(node, node->inputs()[1], parts) != parts.dim) Refuse(node);
  return parts;
}

HiddenChannels ChannelWalk::OfFlatten(Node* node, HiddenChannels read) const {
  if (!read.spatial) Refuse(node);
  if (network::OperatorName(node) == "flatten") {
    if (ConstantInt(node->inputs()[1]) != 1 || ConstantInt(node->inputs()[2]) != -1) Refuse(node);
  } else {
    const Node* const sizes = node->inputs()[1]->node();  // [N, −1]
    if (sizes->kind() != c10::prim::ListConstruct || sizes->inputs().size() != 2 ||
        ConstantInt(sizes->inputs()[1]) != -1 || ConstantInt(sizes->inputs()[0]))
      Refuse(node);
  }
  return {read.count, -1, false, true};
}

HiddenChannels ChannelWalk::OfMean(Node* node, HiddenChannels read) const {
  const auto axes = node->inputs().size() < 3 ? std::nullopt : ConstantInts(node->inputs()[1]);
  const auto keep = node->inputs().size() < 3 ? std::nullopt : network::ConstantBool(node->inputs()[2]);
  if (!axes || !keep || !read.spatial || static_cast<int>(axes->size()) != -read.dim - 1) Refuse(node);
  for (const std::int64_t axis : *axes)
    if (axis < 0 ? axis <= read.dim : axis < 2) Refuse(node);
  return *keep ? read : HiddenChannels{read.count, -1, false, false};
}

int ChannelWalk::FromBack(Node* node, const Value* axis, const HiddenChannels& read) const {
  const auto number = ConstantInt(axis);
  if (!number || (*number >= 0 && !read.spatial)) Refuse(node);
  return static_cast<int>(*number < 0 ? *number : *number - (1 - read.dim));
}

}  // namespace bitplan::training_methods
