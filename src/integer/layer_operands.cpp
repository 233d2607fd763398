#include "integer/layer_operands.h"

#include <ATen/ATen.h>
#include <torch/csrc/jit/ir/constants.h>

#include <optional>
#include <utility>

#include "network/operator_arguments.h"
#include "network/weight_operand.h"
#include "network/weight_use.h"

namespace bitplan::integer {

namespace {

using torch::jit::Node;
using torch::jit::Value;

std::int64_t GroupsOf(const Node* node) { return network::IntArgument(node, "groups").value_or(1); }

}  // namespace

std::variant<LayerOperands, std::string> OperandsOf(const Network& network, const QuantizedState& state,
                                                    const network::LayerOperator& use) {
  const Layer& layer = network.layers()[static_cast<std::size_t>(use.layer)];
  const LayerUse& sites = layer.uses[use.use];
  LayerOperands operands;
  operands.weight = state.weights[static_cast<std::size_t>(use.layer)];
  if (!operands.weight.format.IsInteger()) return "its weight is not of integers";
  if (operands.weight.scale.dim() > 1) return "its weight has several scales in a channel";
  const auto input = state.inputs.find(sites.input_site);
  if (input == state.inputs.end()) return "its input is in float";
  operands.input = input->second;
  if (!operands.input.format.IsInteger()) return "its input is not of integers";
  if (operands.input.outliers.defined()) return "some of its input's features stay in float16";
  if (operands.input.range.offset != 0) return "the range of its input has an offset";
  if (sites.output_site < 0) return "its output channels are not those of the weight";
  const LoweredGraph& lowered = network.lowered();
  const auto reading = network::ReadingOf(lowered, use.node, static_cast<std::size_t>(layer.weight));
  if (!reading || !network::IsWholeWeight(lowered, reading->first, reading->second))
    return "it reads a part of the weight";

  const auto& [how, weight] = *reading;
  const auto rank = static_cast<int>(weight.sizes.size());
  const std::int64_t groups = how.op.starts_with("conv_transpose") ? GroupsOf(use.node) : 1;
  const std::int64_t channels = weight.sizes[static_cast<std::size_t>((how.channel_axis + rank) % rank)] * groups;
  const at::Tensor& scale = operands.weight.scale;
  operands.channel_scale = (scale.numel() == 1 ? scale : scale.repeat({groups})).to(at::kDouble);
  operands.channel_axis = sites.output_channel_dim;
  operands.bias = at::zeros({channels}, at::kDouble);
  if (how.adds_other) return "it adds more than a bias";
  if (how.bias_operand >= 0 && !use.node->inputs()[static_cast<std::size_t>(how.bias_operand)]->mustBeNone()) {
    const auto parameter = lowered.ParameterOf(use.node->inputs()[static_cast<std::size_t>(how.bias_operand)]);
    if (!parameter) return "its bias is computed while the network runs";
    const at::Tensor& bias = state.parameters[*parameter];
    if (bias.dim() != 1 || bias.numel() != channels) return "it adds more than a bias";
    operands.bias = operands.bias + bias;
  }
  if (const auto shift = state.shifts.find(sites.output_site); shift != state.shifts.end())
    operands.bias = operands.bias + shift->second.flatten();
  return operands;
}

}  // namespace bitplan::integer
