#include "vector_operand.h"

#include <ATen/core/Tensor.h>
#include <torch/csrc/jit/ir/constants.h>

#include <string>
#include <utility>

#include "network/operator_arguments.h"
#include "network/operator_traits.h"

namespace bitplan::network {

namespace {

using torch::jit::Node;
using torch::jit::Value;

std::optional<VectorOperand> VectorOf(const LoweredGraph& lowered, std::size_t parameter) {
  const at::Tensor& value = lowered.parameters[parameter].value;
  if (!value.is_floating_point() || value.dim() == 0) return std::nullopt;
  VectorOperand vector{parameter, value.dim(), value.dim() - 1, 0};
  for (std::int64_t axis = 0; axis < value.dim(); ++axis) {
    if (value.size(axis) == 1) continue;
    if (value.size(axis) != value.numel()) return std::nullopt;
    vector.axis = axis;
  }
  return vector;
}

/// A number that does not change from run to run.
std::optional<double> Number(const Value* value) {
  const auto constant = torch::jit::toIValue(value);
  if (!constant) return std::nullopt;
  if (constant->isScalar()) return constant->toScalar().toDouble();
  if (constant->isTensor() && constant->toTensor().numel() == 1) return constant->toTensor().item<double>();
  return std::nullopt;
}

std::optional<VectorOperand> Unsqueezed(VectorOperand vector, const Node* node) {
  const auto axis = IntArgument(node, "dim");
  if (!axis) return std::nullopt;
  const std::int64_t at = *axis + (*axis < 0 ? vector.rank + 1 : 0);
  if (at <= vector.axis) ++vector.axis;
  ++vector.rank;
  return vector;
}

/// Of a view whose sizes are 1 but for one.
std::optional<VectorOperand> Viewed(VectorOperand vector, const Node* node) {
  const auto sizes = IntsArgument(node, OperatorName(node) == "view" ? "size" : "shape");
  if (!sizes) return std::nullopt;
  std::optional<std::int64_t> axis;
  for (std::size_t i = 0; i < sizes->size(); ++i)
    if ((*sizes)[i] != 1) {
      if (axis) return std::nullopt;
      axis = static_cast<std::int64_t>(i);
    }
  if (!axis) return std::nullopt;
  vector.rank = static_cast<std::int64_t>(sizes->size());
  vector.axis = *axis;
  return vector;
}

/// w[:, …]: a slice that takes all.
bool TakesAll(const Node* slice) {
  const auto number = [&](const char* name, double otherwise) {
    const Value* const argument = Argument(slice, name);
    return !argument || argument->mustBeNone() ? otherwise : Number(argument).value_or(-1);
  };
  return number("start", 0) == 0 && number("end", 1e18) >= 1e9 && number("step", 1) == 1;
}

}  // namespace

std::optional<VectorOperand> ResolveVector(const LoweredGraph& lowered, const Value* value) {
  if (CountReaders(value) != 1) return std::nullopt;
  if (const auto parameter = lowered.ParameterOf(value)) return VectorOf(lowered, *parameter);
  const Node* const node = value->node();
  if (node->inputs().empty() || node->outputs().size() != 1) return std::nullopt;
  const std::string op = OperatorName(node);
  if (op == "add") {
    for (const auto& [own, other] : {std::pair("self", "other"), std::pair("other", "self")}) {
      const Value *const tensor = Argument(node, own), *const number = Argument(node, other);
      const auto added = tensor && number ? Number(number) : std::nullopt;
      if (!added || NumberArgument(node, "alpha").value_or(1) != 1) continue;
      auto vector = ResolveVector(lowered, tensor);
      if (vector) vector->offset += *added;
      return vector;
    }
    return std::nullopt;
  }
  auto vector = ResolveVector(lowered, Subject(node));
  if (!vector || Has(op, OperatorTrait::Copy)) return vector;
  if (op == "unsqueeze") return Unsqueezed(*vector, node);
  if (op == "view" || op == "reshape") return Viewed(*vector, node);
  if (op == "slice" && TakesAll(node)) return vector;
  return std::nullopt;
}

}  // namespace bitplan::network
