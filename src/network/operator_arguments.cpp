#include "network/operator_arguments.h"

#include <torch/csrc/jit/ir/constants.h>

namespace bitplan::network {

using torch::jit::Node;
using torch::jit::Value;

Value* Subject(const Node* node) { return const_cast<Node*>(node)->inputs()[0]; }

Value* OtherArgument(const Node* node, std::size_t position) {
  const auto self = ArgumentPosition(node, "self"), other = ArgumentPosition(node, "other");
  if (!self || !other || (position != *self && position != *other)) return nullptr;
  return const_cast<Node*>(node)->inputs()[position == *self ? *other : *self];
}

std::optional<std::size_t> ArgumentPosition(const Node* node, const char* name) {
  const auto* const schema = node->maybeSchema();
  const auto index = schema ? schema->argumentIndexWithName(name) : std::nullopt;
  if (!index || static_cast<std::size_t>(*index) >= node->inputs().size()) return std::nullopt;
  return static_cast<std::size_t>(*index);
}

Value* Argument(const Node* node, const char* name) {
  const auto position = ArgumentPosition(node, name);
  return position ? const_cast<Node*>(node)->inputs()[*position] : nullptr;
}

std::optional<c10::IValue> ConstantArgument(const Node* node, const char* name) {
  const Value* const argument = Argument(node, name);
  return argument ? torch::jit::toIValue(argument) : std::nullopt;
}

std::optional<bool> BoolArgument(const Node* node, const char* name) {
  const auto constant = ConstantArgument(node, name);
  return constant && constant->isBool() ? std::optional(constant->toBool()) : std::nullopt;
}

std::optional<std::int64_t> IntArgument(const Node* node, const char* name) {
  const Value* const argument = Argument(node, name);
  return argument ? ConstantInt(argument) : std::nullopt;
}

std::optional<std::vector<std::int64_t>> IntsArgument(const Node* node, const char* name) {
  const auto constant = ConstantArgument(node, name);
  return constant && constant->isIntList() ? std::optional(constant->toIntVector()) : std::nullopt;
}

std::optional<double> NumberArgument(const Node* node, const char* name) {
  const auto constant = ConstantArgument(node, name);
  return constant && constant->isScalar() ? std::optional(constant->toScalar().toDouble()) : std::nullopt;
}

std::optional<std::int64_t> ConstantInt(const Value* value) {
  const auto constant = torch::jit::toIValue(value);
  return constant && constant->isInt() ? std::optional(constant->toInt()) : std::nullopt;
}

}  // namespace bitplan::network
