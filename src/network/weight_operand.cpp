#include "network/weight_operand.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "network/operator_arguments.h"
#include "network/operator_traits.h"

namespace bitplan::network {

namespace {

using torch::jit::Node;
using torch::jit::Value;

/// Whether the node hands the operand on with its axes in another order.
bool OrdersAxes(const Node* node) {
  return Has(node, OperatorTrait::TransposesAxes) || OperatorName(node) == "permute";
}

/// The operand with its axes in the order that permute says.
std::optional<WeightOperand> Permuted(const WeightOperand& operand, const Node* node) {
  const auto order = IntsArgument(node, "dims");
  const auto rank = static_cast<std::int64_t>(operand.axes.size());
  if (!order || order->size() != operand.axes.size()) return std::nullopt;
  WeightOperand permuted{operand.parameter, {}, {}};
  for (const std::int64_t axis : *order) {
    const auto from = static_cast<std::size_t>((axis + rank) % rank);
    permuted.axes.push_back(operand.axes[from]);
    permuted.sizes.push_back(operand.sizes[from]);
  }
  return permuted;
}

std::optional<WeightOperand> Transposed(WeightOperand operand, const Node* node) {
  if (OperatorName(node) == "permute") return Permuted(operand, node);
  const auto rank = static_cast<std::int64_t>(operand.axes.size());
  std::int64_t first = 0, second = rank - 1;
  if (OperatorName(node) == "transpose") {
    const auto a = IntArgument(node, "dim0"), b = IntArgument(node, "dim1");
    if (!a || !b) return std::nullopt;
    first = (*a + rank) % rank;
    second = (*b + rank) % rank;
  } else if (OperatorName(node) == "numpy_T") {
    std::reverse(operand.axes.begin(), operand.axes.end());
    std::reverse(operand.sizes.begin(), operand.sizes.end());
    return operand;
  } else if (OperatorName(node) == "mT") {
    first = rank - 2;
  }
  if (rank < 2) return operand;
  std::swap(operand.axes[static_cast<std::size_t>(first)], operand.axes[static_cast<std::size_t>(second)]);
  std::swap(operand.sizes[static_cast<std::size_t>(first)], operand.sizes[static_cast<std::size_t>(second)]);
  return operand;
}

/// The operand that one of `split`'s parts is: equal parts of chunk and split (the last, smaller one is taken for
/// equal).
WeightOperand Part(WeightOperand operand, const Node* split) {
  const auto rank = static_cast<std::int64_t>(operand.sizes.size());
  const bool chunk = OperatorName(split).ends_with("chunk");
  const auto parts = IntArgument(split, chunk ? "chunks" : "split_size"), dim = IntArgument(split, "dim");
  if (!parts || !dim || *parts < 1 || rank == 0) return operand;
  std::int64_t& size = operand.sizes[static_cast<std::size_t>((*dim + rank) % rank)];
  size = chunk ? (size + *parts - 1) / *parts : std::min(size, *parts);
  return operand;
}

/// What narrow and slice leave of the operand.
WeightOperand Section(WeightOperand operand, const Node* node) {
  const auto rank = static_cast<std::int64_t>(operand.sizes.size());
  const auto dim = IntArgument(node, "dim");
  if (!dim || rank == 0) return operand;
  std::int64_t& size = operand.sizes[static_cast<std::size_t>((*dim + rank) % rank)];
  if (OperatorName(node) == "narrow") {
    size = IntArgument(node, "length").value_or(size);
  } else {
    const auto bound = [&](const char* name, std::int64_t otherwise) {
      const std::int64_t index = IntArgument(node, name).value_or(otherwise);
      return std::clamp<std::int64_t>(index < 0 ? index + size : index, 0, size);
    };
    const std::int64_t begin = bound("start", 0), end = bound("end", size);
    const std::int64_t step = IntArgument(node, "step").value_or(1);
    size = std::max<std::int64_t>(0, (end - begin + step - 1) / step);
  }
  return operand;
}

/// The node whose list of parts `node` takes one of, or null.
const Node* SplitBehind(const Node* node) {
  const std::string name = OperatorName(node);
  if (name != "ListUnpack" && name != "__getitem__") return nullptr;
  const Node* const source = node->inputs()[0]->node();  // of a prim node, or of aten::__getitem__
  return Has(source, OperatorTrait::Parts) ? source : nullptr;
}

}  // namespace

bool IsView(const Node* node) {
  return Has(node, OperatorTrait::KeepsAxes) || OrdersAxes(node) || Has(node, OperatorTrait::Parts) ||
         SplitBehind(node) != nullptr;
}

std::optional<WeightOperand> ResolveWeight(const LoweredGraph& lowered, const Value* value) {
  if (const auto parameter = lowered.ParameterOf(value)) {
    const at::Tensor& tensor = lowered.parameters[*parameter].value;
    if (!tensor.is_floating_point() || tensor.dim() < 2) return std::nullopt;
    WeightOperand operand{*parameter, std::vector<std::int64_t>(static_cast<std::size_t>(tensor.dim())),
                          tensor.sizes().vec()};
    std::iota(operand.axes.begin(), operand.axes.end(), 0);
    return operand;
  }
  const Node* const node = value->node();
  if (!IsView(node)) return std::nullopt;
  if (const Node* const split = SplitBehind(node)) {
    auto whole = ResolveWeight(lowered, Subject(split));
    if (whole) whole = Part(std::move(*whole), split);
    return whole;
  }
  auto operand = ResolveWeight(lowered, Subject(node));
  if (operand && (OperatorName(node) == "slice" || OperatorName(node) == "narrow"))
    return Section(std::move(*operand), node);
  if (operand && OrdersAxes(node)) return Transposed(std::move(*operand), node);
  return operand;
}

std::string ComputedFrom(const LoweredGraph& lowered, const Value* value) {
  if (const auto parameter = lowered.ParameterOf(value))
    return lowered.parameters[*parameter].value.is_floating_point() ? lowered.parameters[*parameter].name : "";
  const Node* const node = value->node();
  if (node->kind() == c10::prim::Param || node->kind() == c10::prim::Constant || !node->blocks().empty()) return "";
  std::string name;
  for (const Value* input : node->inputs()) {
    if (input->node()->kind() == c10::prim::Constant) continue;
    const std::string found = ComputedFrom(lowered, input);
    const bool is_tensor =
        input->type()->isSubtypeOf(*c10::TensorType::get()) || input->type()->kind() == c10::TypeKind::ListType;
    if (found.empty() && is_tensor) return "";
    if (name.empty()) name = found;
  }
  return name;
}

}  // namespace bitplan::network
