#include "network/batch_norm.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <optional>

#include "network/operator_arguments.h"
#include "network/probe_operator.h"
#include "network/weight_use.h"

namespace bitplan::network {

namespace {

using torch::jit::Node;
using torch::jit::Value;

/// The scale γ/√(σ² + ε) and shift β − μ · scale of a batch norm in eval mode, in double.
struct Affine {
  at::Tensor scale, shift;
  FoldedNorm norm;
};

/// The parameter behind an operand of a batch norm, `otherwise` where it is None, and nothing when it is an activation.
std::optional<at::Tensor> Statistic(const LoweredGraph& lowered, const Value* value,
                                    const std::optional<at::Tensor>& otherwise) {
  if (const auto parameter = lowered.ParameterOf(value)) return lowered.parameters[*parameter].value.to(at::kDouble);
  return value->mustBeNone() ? otherwise : std::nullopt;
}

std::optional<Affine> EvalAffine(const LoweredGraph& lowered, const Node* norm) {
  if (BoolArgument(norm, "training") != false) return std::nullopt;
  const auto mean = Statistic(lowered, Argument(norm, "running_mean"), std::nullopt);
  const auto variance = Statistic(lowered, Argument(norm, "running_var"), std::nullopt);
  const auto eps = NumberArgument(norm, "eps");
  if (!mean || !variance || !eps) return std::nullopt;
  const auto gamma = Statistic(lowered, Argument(norm, "weight"), at::ones_like(*mean));
  const auto beta = Statistic(lowered, Argument(norm, "bias"), at::zeros_like(*mean));
  if (!gamma || !beta) return std::nullopt;
  const at::Tensor scale = *gamma / (*variance + *eps).sqrt();
  return Affine{scale, *beta - *mean * scale, {*beta, gamma->abs()}};
}

bool IsOwn(const LoweredGraph& lowered, const Value* value) {
  return lowered.ParameterOf(value).has_value() && CountReaders(value) == 1;
}

/// Whether a layer with this weight can have so many output channels.
bool HasChannels(const at::Tensor& weight, std::int64_t axis, std::int64_t channels) {
  if (axis == 0) return weight.size(0) == channels;
  const std::int64_t groups = channels / weight.size(axis);
  return groups >= 1 && channels % weight.size(axis) == 0 && weight.size(0) % groups == 0;
}

/// The convolution or linear layer that alone feeds `norm` and alone owns its weight, with the operands to rewrite.
std::optional<WeightUse> FoldableLayer(const LoweredGraph& lowered, Node* norm, std::int64_t channels) {
  Value* const input = Argument(norm, "input");
  if (CountReaders(input) != 1) return std::nullopt;
  for (const WeightUse& use : PossibleUses(lowered, input->node())) {
    if ((use.op != "linear" && !use.op.starts_with("conv")) || !IsOwn(lowered, use.weight)) continue;
    if (!HasChannels(lowered.parameters[*lowered.ParameterOf(use.weight)].value, use.channel_axis, channels)) continue;
    const Value* const bias = input->node()->inputs()[static_cast<std::size_t>(use.bias_operand)];
    if (bias->mustBeNone() || IsOwn(lowered, bias)) return use;
  }
  return std::nullopt;
}

/// Batch norm works on axis 1, which is the layer's channel axis only where the layer's output has as many axes as its
/// weight: not for a linear layer on sequences, nor a convolution without a batch axis. The shape is known when the
/// network runs.
void RequireRank(torch::jit::Graph& graph, Node* layer, std::int64_t rank, const std::string& weight) {
  const torch::jit::WithInsertPoint after(layer->next());
  Value* const actual = graph.insert(c10::aten::dim, {layer->output()});
  Node* const branch = graph.insertNode(graph.create(c10::prim::If, {graph.insert(c10::aten::eq, {actual, rank})}, 0));
  branch->addBlock();
  const torch::jit::WithInsertPoint otherwise(branch->addBlock());
  Value* const message = graph.insertConstant(fmt::format(
      "the batch norm after '{}' does not normalize over that layer's channels, so it cannot be folded into it; load "
      "the model with fold_batch_norm off (--no-fold-batch-norm)",
      weight));
  graph.insertNode(graph.create(c10::prim::RaiseException, {message, graph.insertConstant(c10::IValue())}, 0));
}

void Fold(LoweredGraph& lowered, Node* norm, const WeightUse& use, const Affine& affine) {
  Node* const layer = Argument(norm, "input")->node();
  const std::size_t weight_index = *lowered.ParameterOf(use.weight);
  Parameter& weight = lowered.parameters[weight_index];
  const auto type = weight.value.scalar_type();
  weight.value = (weight.value.to(at::kDouble) * WeightScale(weight.value, affine.scale, use.channel_axis)).to(type);

  const auto bias_operand = static_cast<std::size_t>(use.bias_operand);
  if (const auto bias = lowered.ParameterOf(layer->inputs()[bias_operand])) {
    Parameter& own = lowered.parameters[*bias];
    own.value = (own.value.to(at::kDouble) * affine.scale + affine.shift).to(type);
    own.trainable |= weight.trainable;
  } else {
    const std::string stem =
        weight.name.ends_with("weight") ? weight.name.substr(0, weight.name.size() - 6) : weight.name + ".";
    layer->replaceInput(bias_operand, lowered.AddParameter({stem + "bias", affine.shift.to(type), weight.trainable}));
  }
  const Parameter& folded = lowered.parameters[weight_index];
  lowered.folded_norms[folded.name] = affine.norm;
  RequireRank(*lowered.graph, layer, folded.value.dim(), folded.name);
  norm->output()->replaceAllUsesWith(Argument(norm, "input"));
  norm->destroy();
}

}  // namespace

at::Tensor WeightScale(const at::Tensor& weight, const at::Tensor& scale, std::int64_t axis) {
  std::vector<std::int64_t> shape(static_cast<std::size_t>(weight.dim()), 1);
  if (axis == 0 || scale.numel() == weight.size(1)) {
    shape[static_cast<std::size_t>(axis)] = scale.numel();
    return scale.view(shape);
  }
  // A grouped transposed convolution holds its output channels as (group, channel within the group), the group being
  // that of the input channel.
  const std::int64_t groups = scale.numel() / weight.size(1);
  shape[0] = weight.size(0);
  shape[1] = weight.size(1);
  return scale.view({groups, weight.size(1)}).repeat_interleave(weight.size(0) / groups, 0).view(shape);
}

void FoldBatchNorm(LoweredGraph& lowered) {
  for (Node* node : AllNodes(lowered.graph->block())) {
    if (node->kind() != c10::aten::batch_norm) continue;
    const auto affine = EvalAffine(lowered, node);
    const auto layer = affine ? FoldableLayer(lowered, node, affine->scale.numel()) : std::nullopt;
    if (layer) Fold(lowered, node, *layer, *affine);
  }
  lowered.RemoveUnusedParameters();
}

std::map<int, BatchNorm> FindBatchNorms(const LoweredGraph& lowered) {
  std::map<int, BatchNorm> norms;
  for (const Node* node : AllNodes(lowered.graph->block())) {
    if (node->kind() != c10::aten::batch_norm || !EvalAffine(lowered, node)) continue;
    const Node* const tap = Argument(node, "input")->node();
    if (tap->kind() != TapSymbol() || CountReaders(tap->output()) != 1) continue;
    const Value *const mean = Argument(node, "running_mean"), *const variance = Argument(node, "running_var");
    if (!IsOwn(lowered, mean) || !IsOwn(lowered, variance)) continue;
    const int site = lowered.SiteOf(tap);
    norms[site] = {*lowered.ParameterOf(mean),
                   *lowered.ParameterOf(variance),
                   lowered.ParameterOf(Argument(node, "weight")),
                   lowered.ParameterOf(Argument(node, "bias")),
                   *NumberArgument(node, "eps"),
                   NumberArgument(node, "momentum").value_or(0)};
  }
  return norms;
}

}  // namespace bitplan::network
