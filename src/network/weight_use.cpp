#include "network/weight_use.h"

#include <ATen/core/Tensor.h>
#include <fmt/format.h>
#include <torch/csrc/jit/ir/constants.h>

#include <set>

#include "network/weight_operand.h"

namespace bitplan::network {

namespace {

using torch::jit::Node;
using torch::jit::Value;

bool IsTrue(const Value* value) { return ConstantBool(value).value_or(false); }

WeightUse Convolution(Node* node, std::int64_t spatial, bool transposed) {
  WeightUse use;
  use.op = fmt::format("conv{}{}d", transposed ? "_transpose" : "", spatial);
  use.weight_operand = 1;
  use.channel_axis = transposed ? 1 : 0;
  use.input_operand = 0;
  use.bias_operand = 2;
  use.output_dim = -1 - static_cast<int>(spatial);
  use.count = transposed ? WeightUse::Count::PerInput : WeightUse::Count::PerOutput;
  use.weight = node->inputs()[1];
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

/// LSTM, GRU and RNN keep their weights in a list: per layer and direction w_ih, w_hh, their biases, and a projection.
std::vector<WeightUse> Recurrent(const LoweredGraph& lowered, Node* node, const std::string& op) {
  const bool packed = node->inputs().size() > 1 && node->schema().arguments()[1].name() == "batch_sizes";
  const std::size_t list = packed ? 3 : 2;
  Node* const parameters = node->inputs()[list]->node();
  if (parameters->kind() != c10::prim::ListConstruct) return {};
  const auto layers = torch::jit::toIValue(node->inputs()[list + 2]);
  const bool both_ways = IsTrue(node->inputs()[list + 5]);
  const auto count = parameters->inputs().size();
  const auto cells = static_cast<std::size_t>(layers ? layers->toInt() : 1) * (both_ways ? 2 : 1);
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

/// One step of a recurrent network: operands input, state, w_ih, w_hh, …
std::vector<WeightUse> RecurrentCell(const LoweredGraph& lowered, Node* node, const std::string& op) {
  std::vector<WeightUse> uses;
  std::int64_t features = 1;
  for (const int operand : {2, 3}) {
    const auto weight = ResolveWeight(lowered, node->inputs()[static_cast<std::size_t>(operand)]);
    if (!weight) continue;
    if (operand == 2) features = lowered.parameters[weight->parameter].value.size(1);
    WeightUse use;
    use.op = op;
    use.weight_operand = operand;
    use.weight = node->inputs()[static_cast<std::size_t>(operand)];
    const bool state_is_tensor = node->inputs()[1]->type()->isSubtypeOf(*c10::TensorType::get());
    use.input_operand = operand == 2 ? 0 : (state_is_tensor ? 1 : -1);
    use.count = WeightUse::Count::PerStep;
    use.step_operand = 0;
    use.step_features = features;
    uses.push_back(use);
  }
  return uses;
}

WeightUse Embedding(Node* node) {
  WeightUse use;
  use.op = "embedding";
  use.weight_operand = 0;
  use.weight = node->inputs()[0];
  use.count = WeightUse::Count::None;
  return use;
}

}  // namespace

std::vector<WeightUse> PossibleUses(const LoweredGraph& lowered, Node* node) {
  if (!node->kind().is_aten()) return {};
  const std::string name = OperatorName(node);
  const auto spatial = [&] { return static_cast<std::int64_t>(name[name.size() - 2] - '0'); };
  if (name == "conv1d" || name == "conv2d" || name == "conv3d") return {Convolution(node, spatial(), false)};
  if (name.starts_with("conv_transpose")) return {Convolution(node, spatial(), true)};
  if (name == "_convolution" || name == "convolution" || name == "_convolution_mode") {
    const auto weight = ResolveWeight(lowered, node->inputs()[1]);
    if (!weight) return {};
    const bool transposed = name != "_convolution_mode" && IsTrue(node->inputs()[6]);
    return {Convolution(node, static_cast<std::int64_t>(weight->axes.size()) - 2, transposed)};
  }
  if (name == "linear") {
    WeightUse use = Product(node, 1, 0, 2);
    use.op = name;
    use.channel_axis = 0;
    use.contracted_axis = 1;
    return {use};
  }
  if (name == "matmul" || name == "mm" || name == "bmm") return {Product(node, 1, 0, -1), Product(node, 0, 1, -1)};
  if (name == "addmm") {
    const auto one = [&](std::size_t operand) {
      const auto value = torch::jit::toIValue(node->inputs()[operand]);
      return value && value->isScalar() && value->toScalar().toDouble() == 1;
    };
    return {Product(node, 2, 1, one(3) && one(4) ? 0 : -1), Product(node, 1, 2, -1)};
  }
  if (name == "embedding" || name == "embedding_bag") return {Embedding(node)};
  if (name == "lstm" || name == "gru" || name == "rnn_tanh" || name == "rnn_relu")
    return Recurrent(lowered, node, name);
  if (name.ends_with("_cell")) return RecurrentCell(lowered, node, name.substr(0, name.size() - 5));
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
  static const std::set<std::string, std::less<>> kKeepsType = {"t",       "transpose", "permute",
                                                                "numpy_T", "view",      "contiguous"};
  for (const Value* value = use.weight; !lowered.ParameterOf(value); value = value->node()->inputs()[0])
    if (value->node()->inputs().empty() || !kKeepsType.contains(OperatorName(value->node()))) return false;
  return true;
}

}  // namespace bitplan::network
