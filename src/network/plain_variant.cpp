#include "plain_variant.h"

#include <torch/csrc/jit/runtime/operator.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "float_values.h"

namespace bitplan::network {

namespace {

using torch::jit::Node;
using torch::jit::Value;
bool IsWritten(const c10::Argument& argument) { return argument.alias_info() && argument.alias_info()->isWrite(); }

/// relu for relu_, __and__ for __iand__.
std::string NameOfPlain(const std::string& name) {
  if (name.starts_with("__i") && name.ends_with("__")) return "__" + name.substr(3);
  return name.substr(0, name.size() - 1);
}

/// The operator with the same arguments that writes to nothing.
std::optional<c10::Symbol> PlainSymbol(const Node* node) {
  if (!node->kind().is_aten() || !OperatorName(node).ends_with('_')) return std::nullopt;
  const auto symbol = c10::Symbol::aten(NameOfPlain(OperatorName(node)));
  const auto& given = node->schema().arguments();
  for (const auto& candidate : torch::jit::getAllOperatorsFor(symbol)) {
    const auto& arguments = candidate->schema().arguments();
    const auto same = [](const c10::Argument& a, const c10::Argument& b) { return *a.type() == *b.type(); };
    if (std::none_of(arguments.begin(), arguments.end(), IsWritten) &&
        std::equal(given.begin(), given.end(), arguments.begin(), arguments.end(), same))
      return symbol;
  }
  return std::nullopt;
}

/// Writes a tensor over another one.
bool Overwrites(const Node* node) {
  return node->kind() == c10::aten::copy_ || (node->kind() == c10::aten::fill_ && IsTensorValue(node->inputs()[1]));
}

/// Writes a number everywhere.
bool Fills(const Node* node) {
  return node->kind() == c10::aten::zero_ || (node->kind() == c10::aten::fill_ && !IsTensorValue(node->inputs()[1]));
}

/// Whether the plain operator may make another type than that of its first operand, which is all that one in place can
/// leave there.
bool MayChangeType(const LoweredGraph& lowered, const Node* node, const Value* before) {
  static const OperatorNames predicates = {"eq_", "ne_", "lt_", "le_", "gt_", "ge_", "logical_not_", "logical_and_",
                                   "logical_or_", "logical_xor_"};
  static const OperatorNames positions = {"mask", "index", "indices"};  // arguments whose type is not the result's
  if (predicates.contains(OperatorName(node))) return true;
  const auto& arguments = node->schema().arguments();
  bool others = false, floats = IsFloat(lowered, before);
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    if (positions.contains(arguments[i].name()) || !IsTensorValue(node->inputs()[i])) continue;
    others = true;
    floats = floats && IsFloat(lowered, node->inputs()[i]);
  }
  return others && !floats;
}

Value* InsertCopy(const LoweredGraph& lowered, Node* node, Value* before, bool shared) {
  torch::jit::Graph& graph = *lowered.graph;
  Value* source = node->inputs()[1];
  if (MayChangeType(lowered, node, before)) source = graph.insert(c10::aten::type_as, {source, before});
  source = graph.insert(c10::aten::expand_as, {source, before});
  return shared ? source : graph.insert(c10::aten::clone, {source});
}

}  // namespace

bool WritesToFirst(const Node* node) {
  const auto* const schema = node->maybeSchema();
  if (!schema || node->inputs().empty() || !IsTensorValue(node->inputs()[0]) || node->outputs().size() > 1) return false;
  const auto& arguments = schema->arguments();
  return !arguments.empty() && IsWritten(arguments[0]) &&
         std::none_of(arguments.begin() + 1, arguments.end(), IsWritten);
}

bool HasPlainVariant(const Node* node) {
  static const OperatorNames shapes = {"unsqueeze_", "squeeze_",   "t_",   "transpose_",  "swapaxes_",
                               "swapdims_",  "as_strided_", "set_", "resize_as_", "resize_"};
  if (shapes.contains(OperatorName(node))) return false;  // they change the tensor and not what is in it
  return Overwrites(node) || Fills(node) || PlainSymbol(node).has_value();
}

Value* InsertPlainVariant(const LoweredGraph& lowered, Node* node, Value* before, bool shared) {
  torch::jit::Graph& graph = *lowered.graph;
  if (Overwrites(node)) return InsertCopy(lowered, node, before, shared);
  if (node->kind() == c10::aten::zero_) return graph.insert(c10::aten::zeros_like, {before});
  if (Fills(node)) return graph.insert(c10::aten::full_like, {before, node->inputs()[1]});
  std::vector<Value*> operands = node->inputs().vec();
  operands[0] = before;
  Node* const plain = graph.insertNode(graph.create(*PlainSymbol(node), operands));
  plain->copyMetadata(node);
  plain->output()->setType(c10::TensorType::get());
  if (!MayChangeType(lowered, node, before)) return plain->output();
  return graph.insert(c10::aten::type_as, {plain->output(), before});
}

}  // namespace bitplan::network
