#include "network/weight_operand.h"

#include <torch/csrc/jit/ir/constants.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <string_view>
#include <utility>

namespace bitplan::network {

namespace {

using torch::jit::Node;
using torch::jit::Value;

constexpr std::array<std::string_view, 10> kKeepAxes = {"detach", "contiguous", "to",      "alias",   "clone",
                                                        "slice",  "narrow",     "view_as", "type_as", "unchecked_cast"};
constexpr std::array<std::string_view, 4> kTransposeLast = {"t", "numpy_T", "mT", "transpose"};
constexpr std::array<std::string_view, 5> kParts = {"chunk", "unsafe_chunk", "split", "split_with_sizes",
                                                    "unsafe_split"};

bool Among(const auto& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::optional<std::int64_t> ConstantInt(const Value* value) {
  const auto constant = torch::jit::toIValue(value);
  if (!constant || !constant->isInt()) return std::nullopt;
  return constant->toInt();
}

std::optional<WeightOperand> Transposed(WeightOperand operand, const Node* node) {
  const auto rank = static_cast<std::int64_t>(operand.axes.size());
  std::int64_t first = 0, second = rank - 1;
  if (OperatorName(node) == "transpose") {
    const auto a = ConstantInt(node->inputs()[1]), b = ConstantInt(node->inputs()[2]);
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
  const auto parts = ConstantInt(split->inputs()[1]), dim = ConstantInt(split->inputs()[2]);
  if (!parts || !dim || *parts < 1 || rank == 0) return operand;
  std::int64_t& size = operand.sizes[static_cast<std::size_t>((*dim + rank) % rank)];
  size = OperatorName(split).ends_with("chunk") ? (size + *parts - 1) / *parts : std::min(size, *parts);
  return operand;
}

/// What narrow and slice leave of the operand.
WeightOperand Section(WeightOperand operand, const Node* node) {
  const auto rank = static_cast<std::int64_t>(operand.sizes.size());
  const auto dim = ConstantInt(node->inputs()[1]);
  if (!dim || rank == 0) return operand;
  std::int64_t& size = operand.sizes[static_cast<std::size_t>((*dim + rank) % rank)];
  if (OperatorName(node) == "narrow") {
    size = ConstantInt(node->inputs()[3]).value_or(size);
  } else {
    const auto bound = [&](std::size_t input, std::int64_t otherwise) {
      const std::int64_t index = ConstantInt(node->inputs()[input]).value_or(otherwise);
      return std::clamp<std::int64_t>(index < 0 ? index + size : index, 0, size);
    };
    const std::int64_t begin = bound(2, 0), end = bound(3, size), step = ConstantInt(node->inputs()[4]).value_or(1);
    size = std::max<std::int64_t>(0, (end - begin + step - 1) / step);
  }
  return operand;
}

/// The node whose list of parts `node` takes one of, or null.
const Node* SplitBehind(const Node* node) {
  const std::string name = OperatorName(node);
  if (name != "ListUnpack" && name != "__getitem__") return nullptr;
  const Node* const source = node->inputs()[0]->node();
  return Among(kParts, OperatorName(source)) ? source : nullptr;
}

}  // namespace

bool IsView(const Node* node) {
  const std::string name = OperatorName(node);
  return Among(kKeepAxes, name) || Among(kTransposeLast, name) || Among(kParts, name) || SplitBehind(node) != nullptr;
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
    auto whole = ResolveWeight(lowered, split->inputs()[0]);
    if (whole) whole = Part(std::move(*whole), split);
    return whole;
  }
  auto operand = ResolveWeight(lowered, node->inputs()[0]);
  if (operand && (OperatorName(node) == "slice" || OperatorName(node) == "narrow"))
    return Section(std::move(*operand), node);
  if (operand && Among(kTransposeLast, OperatorName(node))) return Transposed(std::move(*operand), node);
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
