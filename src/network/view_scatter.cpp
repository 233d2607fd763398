#include "view_scatter.h"

#include <optional>
#include <string>
#include <vector>

#include "network/operator_arguments.h"
#include "network/operator_traits.h"

namespace bitplan::network {

namespace {

using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;
/// All elements of the operand in their order: a view that reshapes, or a dropout that does nothing.
bool KeepsOrder(const Node* view) { return Has(view, OperatorTrait::KeepsOrder) || Has(view, OperatorTrait::Dropout); }

/// Where each axis of a permutation goes back to; nothing where the order is computed.
std::optional<std::vector<std::int64_t>> Inverse(const Node* permutation) {
  const auto axes = IntsArgument(permutation, "dims");
  if (!axes) return std::nullopt;
  const auto rank = static_cast<std::int64_t>(axes->size());
  std::vector<std::int64_t> inverse(axes->size());
  for (std::size_t i = 0; i < axes->size(); ++i)
    inverse[static_cast<std::size_t>(((*axes)[i] + rank) % rank)] = static_cast<std::int64_t>(i);
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
  const auto operand = [view](const char* name) { return Argument(view, name); };
  if (path.size() > 1) return ByPosition(graph, path, base, part);
  if (op == "select") return graph.insert(c10::aten::select_scatter, {base, part, operand("dim"), operand("index")});
  if (op == "slice")
    return graph.insert(c10::aten::slice_scatter,
                        {base, part, operand("dim"), operand("start"), operand("end"), operand("step")});
  if (Has(view, OperatorTrait::OwnInverse)) return InsertOn(graph, path.back(), part);
  if (KeepsOrder(view)) return graph.insert(c10::aten::reshape_as, {part, base});
  if (op == "permute")
    if (const auto inverse = Inverse(view)) return graph.insert(c10::aten::permute, {part, *inverse});
  return ByPosition(graph, path, base, part);
}

bool ScatterCopies(const Node* view) { return OperatorName(view) == "select" || OperatorName(view) == "slice"; }

Value* InsertOn(Graph& graph, Value* result, Value* operand) {
  Node* const node = result->node();
  Node* const copy =
      graph.insertNode(graph.createClone(node, [&](Value* value) { return value == Subject(node) ? operand : value; }));
  for (Value* output : copy->outputs())
    if (output->type()->isSubtypeOf(*c10::TensorType::get())) output->setType(c10::TensorType::get());
  return copy->outputs()[result->offset()];
}

}  // namespace bitplan::network
