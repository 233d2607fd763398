#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace bitplan::network {

// Operands by the names that operators' schemas give them. An operator that is not known has none. Nodes without a
// schema (prim: lists, blocks, constants) have positions alone.

/// What an operator is applied to: its first operand. That is the one whose position is sure and whose name is not:
/// self of most, input, tensors of concatenations, l, list and a of lists.
torch::jit::Value* Subject(const torch::jit::Node* node);

/// Of an operator on self and other, which may stand for each other: the one that is not at `position`; null where the
/// operator has no such two.
torch::jit::Value* OtherArgument(const torch::jit::Node* node, std::size_t position);

/// Position among `node`'s operands; nothing where it has no argument of this name.
std::optional<std::size_t> ArgumentPosition(const torch::jit::Node* node, const char* name);

/// The operand; null where there is none.
torch::jit::Value* Argument(const torch::jit::Node* node, const char* name);

/// What the operand is where it is a constant; nothing where it is computed, or not there.
std::optional<c10::IValue> ConstantArgument(const torch::jit::Node* node, const char* name);

/// The same of one kind; nothing where it is of another, None too.
std::optional<bool> BoolArgument(const torch::jit::Node* node, const char* name);
std::optional<std::int64_t> IntArgument(const torch::jit::Node* node, const char* name);
std::optional<std::vector<std::int64_t>> IntsArgument(const torch::jit::Node* node, const char* name);
std::optional<double> NumberArgument(const torch::jit::Node* node, const char* name);

/// The integer that `value` is, where it is a constant.
std::optional<std::int64_t> ConstantInt(const torch::jit::Value* value);

}  // namespace bitplan::network
