#include "float_values.h"

#include <algorithm>

#include "network/operator_traits.h"

namespace bitplan::network {

namespace {

using torch::jit::Node;
using torch::jit::Value;

/// Deep enough for the blocks of every network, and an end where operators hand on one another's results a thousand
/// times.
constexpr int kDeepest = 64;

bool IsFloatWithin(const LoweredGraph& lowered, const Value* value, int depth) {
  if (const auto parameter = lowered.ParameterOf(value))
    return lowered.parameters[*parameter].value.is_floating_point();
  const Node* const node = value->node();
  if (!node->kind().is_aten() || depth == kDeepest) return false;
  const auto inputs = node->inputs();
  const auto is_float = [&](const Value* input) { return IsFloatWithin(lowered, input, depth + 1); };
  if (Has(node, OperatorTrait::ComputesInFloat) && std::any_of(inputs.begin() + 1, inputs.end(), is_float)) return true;
  const auto keeps = [&](const Value* input) {
    if (input->node()->kind() != c10::prim::ListConstruct) return !IsTensorValue(input) || is_float(input);
    const auto items = input->node()->inputs();
    return std::all_of(items.begin(), items.end(),
                       [&](const Value* item) { return !IsTensorValue(item) || is_float(item); });
  };
  return (Has(node, OperatorTrait::KeepsFloat) || Has(node, OperatorTrait::ComputesInFloat)) &&
         std::all_of(inputs.begin(), inputs.end(), keeps);
}

}  // namespace

bool IsFloat(const LoweredGraph& lowered, const Value* value) { return IsFloatWithin(lowered, value, 0); }

}  // namespace bitplan::network
