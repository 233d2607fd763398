#include "network/weight_use.h"

#include <ATen/core/Tensor.h>
#include <fmt/format.h>

#include <string_view>

#include "network/operator_arguments.h"
#include "network/operator_traits.h"
#include "network/weight_operand.h"

namespace bitplan::network {

namespace {

using torch::jit::Node;
using torch::jit::Value;

/// −1 where the operator has no operand of this name.
int PositionOf(const Node* node, const char* name) {
  const auto position = ArgumentPosition(node, name);
  return position ? static_cast<int>(*position) : -1;
}

WeightUse Convolution(Node* node, std::int64_t spatial, bool transposed) {
  WeightUse use;
  use.op = fmt::format("conv{}{}d", transposed ? "_transpose" : "", spatial);
  use.weight_operand = PositionOf(node, "weight");
  use.channel_axis = transposed ? 1 : 0;
  use.input_operand = PositionOf(node, "input");
  use.bias_operand = PositionOf(node, "bias");
  use.output_dim = -1 - static_cast<int>(spatial);
  use.count = transposed ? WeightUse::Count::PerInput : WeightUse::Count::PerOutput;
  use.weight = Argument(node, "weight");
  return use;
}

/// A product of two operands, of which the one at `weight_operand` may be a weight.
WeightUse Product(Node* node, int weight_operand, int other, int bias_operand) {
  const bool on_the_right = weight_operand > other;
  WeightUse use;
  use.op = OperatorName(node) == "addmm" ? "addmm" : "matmul";
  use.weight_operand = weight_operand;
  use.weight = node->inputs()[static_cast<std::size_t>(weight_operand)];
  use.channel_axis = on_the_right ? -1 : -2;
  use.contracted_axis = on_the_right ? -2 : -1;
  use.input_operand = other;
  use.bias_operand = bias_operand;
  use.adds_other = use.op == "addmm" && bias_operand < 0;
  use.output_dim = on_the_right ? -1 : -2;
  return use;
}

/// matmul, mm, bmm: either factor may be a weight.
std::vector<WeightUse> Factors(Node* node) {
  const int left = 0, right = 1;
  return {Product(node, right, left, -1), Product(node, left, right, -1)};
}

/// addmm(bias, a, b): b or a.
std::vector<WeightUse> FactorsAndBias(Node* node) {
  const int left = PositionOf(node, "mat1"), right = PositionOf(node, "mat2");
  const bool plain = NumberArgument(node, "beta") == 1 && NumberArgument(node, "alpha") == 1;
  return {Product(node, right, left, plain ? PositionOf(node, "self") : -1), Product(node, left, right, -1)};
}

WeightUse Linear(Node* node) {
  WeightUse use = Product(node, PositionOf(node, "weight"), PositionOf(node, "input"), PositionOf(node, "bias"));
  use.op = "linear";
  use.channel_axis = 0;
  use.contracted_axis = 1;
  return use;
}

/// LSTM, GRU and RNN keep their weights in a list: per layer and direction w_ih, w_hh, their biases, and a projection.
std::vector<WeightUse> Recurrent(const LoweredGraph& lowered, Node* node, const std::string& op) {
  Node* const parameters = Argument(node, "params")->node();
  if (parameters->kind() != c10::prim::ListConstruct) return {};
  const auto layers = IntArgument(node, "num_layers");
  const bool both_ways = BoolArgument(node, "bidirectional").value_or(false);
  const auto count = parameters->inputs().size();
  const auto cells = static_cast<std::size_t>(layers.value_or(1)) * (both_ways ? 2 : 1);
  const std::size_t stride = cells == 0 ? count : count / cells;
  std::vector<WeightUse> uses;
  std::int64_t features = 1;
  for (std::size_t i = 0; i < count; ++i) {
    const auto weight = ResolveWeight(lowered, parameters->inputs()[i]);
    if (!weight) continue;
    if (i == 0) features = lowered.parameters[weight->parameter].value.size(1);
    WeightUse use;
    use.op = op;
    use.weight = parameters->inputs()[i];
    use.input_operand = i == 0 || (both_ways && i == stride) ? 0 : -1;
    use.count = WeightUse::Count::PerStep;
    use.step_operand = 0;
    use.step_features = features;
    uses.push_back(use);
  }
  return uses;
}

/// One step of a recurrent network.
std::vector<WeightUse> RecurrentCell(const LoweredGraph& lowered, Node* node, const std::string& op) {
  std::vector<WeightUse> uses;
  std::int64_t features = 1;
  const int input = PositionOf(node, "input");
  const int state = IsTensorValue(Argument(node, "hx")) ? PositionOf(node, "hx") : -1;
  for (const char* const name : {"w_ih", "w_hh"}) {
    Value* const read = Argument(node, name);
    const auto weight = ResolveWeight(lowered, read);
    if (!weight) continue;
    const bool of_input = name == std::string_view("w_ih");
    if (of_input) features = lowered.parameters[weight->parameter].value.size(1);
    WeightUse use;
    use.op = op;
    use.weight_operand = PositionOf(node, name);
    use.weight = read;
    use.input_operand = of_input ? input : state;
    use.count = WeightUse::Count::PerStep;
    use.step_operand = input;
    use.step_features = features;
    uses.push_back(use);
  }
  return uses;
}

WeightUse Embedding(Node* node) {
  WeightUse use;
  use.op = "embedding";
  use.weight_operand = PositionOf(node, "weight");
  use.weight = Argument(node, "weight");
  use.count = WeightUse::Count::None;
  return use;
}

}  // namespace

std::vector<WeightUse> PossibleUses(const LoweredGraph& lowered, Node* node) {
  if (!node->kind().is_aten() || !node->maybeSchema()) return {};
  const std::string name = OperatorName(node);
  if (Has(node, OperatorTrait::Convolution)) {
    if (const int spatial = OperatorAxes(name); spatial > 0)
      return {Convolution(node, spatial, name.starts_with("conv_transpose"))};
    const auto weight = ResolveWeight(lowered, Argument(node, "weight"));
    if (!weight) return {};
    const bool transposed = BoolArgument(node, "transposed").value_or(false);
    return {Convolution(node, static_cast<std::int64_t>(weight->axes.size()) - 2, transposed)};
  }
  if (name == "linear") return {Linear(node)};
  if (name == "matmul" || name == "mm" || name == "bmm") return Factors(node);
  if (name == "addmm") return FactorsAndBias(node);
  if (name == "embedding" || name == "embedding_bag") return {Embedding(node)};
  if (Has(node, OperatorTrait::Recurrent)) return Recurrent(lowered, node, name);
  if (Has(node, OperatorTrait::RecurrentCell)) return RecurrentCell(lowered, node, name.substr(0, name.size() - 5));
  return {};
}

std::optional<std::pair<WeightUse, WeightOperand>> ReadingOf(const LoweredGraph& lowered, const Node* node,
                                                             std::size_t parameter) {
  for (const WeightUse& use : PossibleUses(lowered, const_cast<Node*>(node)))
    if (const auto weight = ResolveWeight(lowered, use.weight); weight && weight->parameter == parameter)
      return std::pair(use, *weight);
  return std::nullopt;
}

bool IsWholeWeight(const LoweredGraph& lowered, const WeightUse& use, const WeightOperand& operand) {
  const at::Tensor& weight = lowered.parameters[operand.parameter].value;
  if (c10::multiply_integers(operand.sizes) != weight.numel()) return false;
  for (const Value* value = use.weight; !lowered.ParameterOf(value); value = value->node()->inputs()[0])
    if (value->node()->inputs().empty() || !Has(value->node(), OperatorTrait::KeepsType)) return false;
  return true;
}

}  // namespace bitplan::network
