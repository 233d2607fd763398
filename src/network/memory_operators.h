#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include <cstddef>

namespace bitplan::network {

// What operators do to the memory of what they read.

/// Whether `value` is a tensor, or may be None in its place.
bool IsTensor(const torch::jit::Value* value);

/// Whether `value` is no tensor, but may hold some: a list, an object.
bool IsContainer(const torch::jit::Value* value);

/// Whether `node` makes a list, a tuple or a dict of its operands.
bool IsConstruct(const torch::jit::Node* node);

/// Whether `value` is a list, tuple or dict that one node makes, and that others only take apart or compute with.
bool IsOpenContainer(const torch::jit::Value* value);

/// Whether the result of `node` always lies in the memory of its first operand: a tensor, or a list of parts.
bool IsViewOperator(const torch::jit::Node* node);

/// Whether `node` may hand on an operand, or a view of it. The schemas of some operators do not say so.
bool MayHandOn(const torch::jit::Node* node);

/// Whether `node`'s operand at `index` is changed.
bool Writes(const torch::jit::Node* node, std::size_t index);

bool TakesFromList(const torch::jit::Node* node);

/// Whether what `node` reads may be found later in a list or an object.
bool Keeps(const torch::jit::Node* node);

}  // namespace bitplan::network
