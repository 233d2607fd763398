#include "plain_variant.h"

#include <torch/csrc/jit/runtime/operator.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "float_values.h"
#include "network/operator_arguments.h"
#include "network/operator_traits.h"

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

/// What is written over a tensor, one or a number everywhere; null of other operators, and of zero_.
Value* Written(const Node* node) {
  if (node->kind() == c10::aten::fill_) return Argument(node, "value");
  if (node->kind() != c10::aten::copy_) return nullptr;
  Value* const source = Argument(node, "src");
  return source ? source : Argument(node, "other");
}

/// Writes a tensor over another one.
bool Overwrites(const Node* node) {
  return node->kind() == c10::aten::copy_ || (node->kind() == c10::aten::fill_ && IsTensorValue(Written(node)));
}

/// Writes a number everywhere.
bool Fills(const Node* node) {
  return node->kind() == c10::aten::zero_ || (node->kind() == c10::aten::fill_ && !IsTensorValue(Written(node)));
}

/// Whether the plain operator may make another type than that of its first operand, which is all that one in place can
/// leave there.
bool MayChangeType(const LoweredGraph& lowered, const Node* node, const Value* before) {
  constexpr std::array<std::string_view, 3> kPositions = {"mask", "index", "indices"};  // of no matter to the result
  if (Has(node, OperatorTrait::MakesBool)) return true;
  const auto& arguments = node->schema().arguments();
  bool others = false, floats = IsFloat(lowered, before);
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const bool position = std::find(kPositions.begin(), kPositions.end(), arguments[i].name()) != kPositions.end();
    if (position || !IsTensorValue(node->inputs()[i])) continue;
    others = true;
    floats = floats && IsFloat(lowered, node->inputs()[i]);
  }
  return others && !floats;
}

Value* InsertCopy(const LoweredGraph& lowered, Node* node, Value* before, bool shared) {
  torch::jit::Graph& graph = *lowered.graph;
  Value* source = Written(node);
  if (MayChangeType(lowered, node, before)) source = graph.insert(c10::aten::type_as, {source, before});
  source = graph.insert(c10::aten::expand_as, {source, before});
  return shared ? source : graph.insert(c10::aten::clone, {source});
}

}  // namespace

bool WritesToFirst(const Node* node) {
  const auto* const schema = node->maybeSchema();
  if (!schema || node->inputs().empty() || !IsTensorValue(Subject(node)) || node->outputs().size() > 1) return false;
  const auto& arguments = schema->arguments();
  return !arguments.empty() && IsWritten(arguments[0]) &&
         std::none_of(arguments.begin() + 1, arguments.end(), IsWritten);
}

bool HasPlainVariant(const Node* node) {
  if (Has(node, OperatorTrait::ChangesTensor)) return false;
  return Overwrites(node) || Fills(node) || PlainSymbol(node).has_value();
}

Value* InsertPlainVariant(const LoweredGraph& lowered, Node* node, Value* before, bool shared) {
  torch::jit::Graph& graph = *lowered.graph;
  if (Overwrites(node)) return InsertCopy(lowered, node, before, shared);
  if (node->kind() == c10::aten::zero_) return graph.insert(c10::aten::zeros_like, {before});
  if (Fills(node)) return graph.insert(c10::aten::full_like, {before, Written(node)});
  std::vector<Value*> operands = node->inputs().vec();
  operands[0] = before;
  Node* const plain = graph.insertNode(graph.create(*PlainSymbol(node), operands));
  plain->copyMetadata(node);
  plain->output()->setType(c10::TensorType::get());
  if (!MayChangeType(lowered, node, before)) return plain->output();
  return graph.insert(c10::aten::type_as, {plain->output(), before});
}

}  // namespace bitplan::network
