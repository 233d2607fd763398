#include "view_scatter.h"

#include <torch/csrc/jit/ir/constants.h>

#include <optional>
#include <set>
#include <string>

namespace bitplan::network {

namespace {

using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;
/// Their own inverse.
bool Swaps(const std::string& op) {
  static const OperatorNames names = {"transpose", "t", "swapaxes", "swapdims", "numpy_T", "mT"};
  return names.contains(op);
}

/// They keep all elements in their order.
bool Reshapes(const std::string& op) {
  static const OperatorNames names = {"view",  "view_as", "unsqueeze",       "squeeze",       "unflatten",
                              "alias", "dropout", "feature_dropout", "alpha_dropout", "feature_alpha_dropout"};
  return names.contains(op);
}

/// Where each axis goes back to; nothing where the order is computed.
std::optional<std::vector<std::int64_t>> Inverse(const Value* order) {
  const auto constant = torch::jit::toIValue(order);
  if (!constant || !constant->isIntList()) return std::nullopt;
  const std::vector<std::int64_t> axes = constant->toIntVector();
  const auto rank = static_cast<std::int64_t>(axes.size());
  std::vector<std::int64_t> inverse(axes.size());
  for (std::size_t i = 0; i < axes.size(); ++i)
    inverse[static_cast<std::size_t>((axes[i] + rank) % rank)] = static_cast<std::int64_t>(i);
  return inverse;
}

/// Of any view: by the position in the base of each element that it takes.
Value* ByPosition(Graph& graph, const std::vector<Value*>& path, Value* base, Value* part) {
  Value* const count = graph.insert(c10::aten::numel, {base});
  Value* const device = graph.insert(c10::prim::device, {base});
  Value* positions = graph.insert(c10::aten::arange, {count}, {torch::jit::NamedValue("device", device)});
  positions = graph.insert(c10::aten::reshape_as, {positions, base});
  for (Value* view : path) positions = InsertOn(graph, view, positions);
  return graph.insert(c10::aten::put, {base, positions, graph.insert(c10::aten::reshape_as, {part, positions})});
}

}  // namespace

Value* InsertScatter(Graph& graph, const std::vector<Value*>& path, Value* base, Value* part) {
  Node* const view = path.back()->node();
  const std::string op = OperatorName(view);
  const auto inputs = view->inputs();
  if (path.size() > 1) return ByPosition(graph, path, base, part);
  if (op == "select") return graph.insert(c10::aten::select_scatter, {base, part, inputs[1], inputs[2]});
  if (op == "slice")
    return graph.insert(c10::aten::slice_scatter, {base, part, inputs[1], inputs[2], inputs[3], inputs[4]});
  if (Swaps(op)) return InsertOn(graph, path.back(), part);
  if (Reshapes(op)) return graph.insert(c10::aten::reshape_as, {part, base});
  if (op == "permute")
    if (const auto inverse = Inverse(inputs[1])) return graph.insert(c10::aten::permute, {part, *inverse});
  return ByPosition(graph, path, base, part);
}

bool ScatterCopies(const Node* view) { return OperatorName(view) == "select" || OperatorName(view) == "slice"; }

Value* InsertOn(Graph& graph, Value* result, Value* operand) {
  Node* const node = result->node();
  Node* const copy = graph.insertNode(
      graph.createClone(node, [&](Value* value) { return value == node->inputs()[0] ? operand : value; }));
  for (Value* output : copy->outputs())
    if (output->type()->isSubtypeOf(*c10::TensorType::get())) output->setType(c10::TensorType::get());
  return copy->outputs()[result->offset()];
}

}  // namespace bitplan::network
