#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include <optional>
#include <vector>

namespace bitplan::network {

/// What an operator makes of these operands.
std::vector<c10::IValue> RunOperator(const torch::jit::Node* node, std::vector<c10::IValue> operands);

/// The same of tensors without elements (of device meta): results without elements. Nothing where that depends on
/// elements, or the operator does not take such sizes.
std::optional<std::vector<c10::IValue>> RunExample(const torch::jit::Node* node, std::vector<c10::IValue> operands);

}  // namespace bitplan::network
