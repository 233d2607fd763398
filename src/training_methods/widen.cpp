#include "training_methods/widen.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>

#include <vector>

#include "bitplan/error.h"
#include "hidden_channels.h"
#include "network/lowered_graph.h"
#include "network/model_file.h"
#include "network/operator_arguments.h"

namespace bitplan::training_methods {

namespace {

/// Weights of the copies of each input channel, which add up to the weight: [out, channels · run, …] to [out, channels
/// · factor · run, …], run features of a flattened channel or 1.
at::Tensor SharedOut(const at::Tensor& weight, std::int64_t run, const WidenOptions& options,
                     const at::Generator& generator) {
  const at::Tensor channels = weight.unflatten(1, {-1, 1, run});
  std::vector<std::int64_t> copies = channels.sizes().vec();
  copies[2] = options.factor;
  const at::Tensor parts = at::empty(copies, weight.options().device(at::kCPU))
                               .uniform_(1 - options.spread, 1 + options.spread, generator)
                               .to(weight.device());
  return (channels * (parts / parts.sum(2, true))).flatten(1, 3);
}

void WidenLayer(const Network& network, const ChannelWalk::LayerChannels& channels, const WidenOptions& options,
                const at::Generator& generator, std::vector<Parameter>& parameters) {
  const Layer& layer = network.layers()[channels.layer];
  at::Tensor& weight = parameters[static_cast<std::size_t>(layer.weight)].value;
  if (channels.read) {
    const std::int64_t run = channels.read->flattened ? weight.size(1) / channels.read->channels : 1;
    weight = SharedOut(weight, run, options, generator);
  }
  if (!channels.makes_hidden) return;
  weight = weight.repeat_interleave(options.factor, 0);
  if (layer.bias < 0) return;
  at::Tensor& bias = parameters[static_cast<std::size_t>(layer.bias)].value;
  bias = bias.repeat_interleave(options.factor, 0);
}

void WidenPadding(torch::jit::Node* node, std::size_t position, std::int64_t factor) {
  std::vector<std::int64_t> numbers = *network::IntsArgument(node, "pad");
  for (const std::size_t end : {position, position + 1}) numbers[end] *= factor;
  const torch::jit::WithInsertPoint before(node);
  node->replaceInput(*network::ArgumentPosition(node, "pad"), node->owningGraph()->insertConstant(numbers));
}

LoweredGraph Widened(const Network& network, const WidenOptions& options) {
  const at::NoGradGuard no_grad;
  LoweredGraph wide = network.lowered();
  wide.graph = wide.graph->copy();
  wide.folded_norms.clear();  // of channels as they were
  const ChannelWalk walk(network, wide);
  const at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(options.seed);
  for (const ChannelWalk::LayerChannels& layer : walk.layers())
    WidenLayer(network, layer, options, generator, wide.parameters);
  for (const std::size_t index : walk.channel_parameters())
    wide.parameters[index].value = wide.parameters[index].value.repeat_interleave(options.factor, 0);
  for (const auto& [node, position] : walk.paddings()) WidenPadding(node, position, options.factor);
  return wide;
}

}  // namespace

void WidenOptions::Validate() const {
  if (factor < 2) throw Error(fmt::format("factor: {} given; at least 2 copies of a channel needed", factor));
  if (!(spread >= 0 && spread < 1)) throw Error(fmt::format("spread: {} is outside [0, 1)", spread));
}

std::string WidenedModelFile(const Network& network, const WidenOptions& options) {
  options.Validate();
  return network::ModelFile(Widened(network, options));
}

}  // namespace bitplan::training_methods
