#include "spread_products.h"

#include <set>
#include <string>

#include "network/operator_arguments.h"

namespace bitplan::network {

namespace {

using torch::jit::Node;
using torch::jit::Value;
using torch::jit::WithInsertPoint;

bool IsCall(const Node* node, const std::string& op) {
  return node->kind().is_aten() && node->maybeSchema() && OperatorName(node) == op;
}

/// Whether `value` is a parameter of one axis, as long as the output channels of `weight`.
bool IsBiasOf(const LoweredGraph& lowered, const Value* value, const Value* weight) {
  const auto bias = lowered.ParameterOf(value), matrix = lowered.ParameterOf(weight);
  if (!bias || !matrix) return false;
  const at::Tensor &b = lowered.parameters[*bias].value, &w = lowered.parameters[*matrix].value;
  return b.dim() == 1 && w.dim() == 2 && b.size(0) == w.size(0);
}

void JoinBias(LoweredGraph& lowered, Node* sum) {
  if (NumberArgument(sum, "alpha") != 1) return;
  for (const std::size_t at : {0U, 1U}) {
    Node* const product = sum->inputs()[at]->node();
    Value* const bias = sum->inputs()[1 - at];
    if (!IsCall(product, "linear") || product->owningBlock() != sum->owningBlock()) continue;
    if (product->output()->uses().size() != 1 || !Argument(product, "bias")->mustBeNone()) continue;
    if (!IsBiasOf(lowered, bias, Argument(product, "weight"))) continue;
    const WithInsertPoint at_product(product);
    Node* const made = lowered.graph->insertNode(
        lowered.graph->create(c10::aten::linear, {product->inputs()[0], product->inputs()[1], bias}));
    made->copyMetadata(product);
    made->output()->setType(sum->output()->type());
    sum->output()->replaceAllUsesWith(made->output());
    return;
  }
}

/// The multiplication by a number that `value` is the result of, with nothing in between but other axes that only this
/// product reads; null where there is none.
Node* ScaleOf(Value* value) {
  static const std::set<std::string> kOtherAxes = {"expand", "reshape", "view", "clone", "contiguous"};
  for (;;) {
    Node* const node = value->node();
    if (!node->kind().is_aten() || !node->maybeSchema() || value->uses().size() != 1) return nullptr;
    if (OperatorName(node) == "mul") return NumberArgument(node, "other") ? node : nullptr;
    if (!kOtherAxes.contains(OperatorName(node))) return nullptr;
    value = node->inputs()[0];
  }
}

void JoinScale(LoweredGraph& lowered, Node* product) {
  Node *const left = ScaleOf(product->inputs()[0]), *const right = ScaleOf(product->inputs()[1]);
  if (!left || !right || left == right) return;
  const double factor = *NumberArgument(left, "other");
  if (factor != *NumberArgument(right, "other")) return;
  const WithInsertPoint at_left(left);
  left->replaceInput(1, lowered.graph->insertConstant(factor * factor));
  right->output()->replaceAllUsesWith(right->inputs()[0]);
}

}  // namespace

void JoinBiases(LoweredGraph& lowered) {
  for (Node* node : AllNodes(lowered.graph->block()))
    if (IsCall(node, "add")) JoinBias(lowered, node);
}

void JoinScales(LoweredGraph& lowered) {
  for (Node* node : AllNodes(lowered.graph->block()))
    if (IsCall(node, "bmm") || IsCall(node, "matmul")) JoinScale(lowered, node);
}

}  // namespace bitplan::network
