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

/// Where results, or their sizes, depend on elements: results of those axes, of sizes that differ on the two sides.
/// Nothing where an operator is no such or its axes are not known either.
std::optional<std::vector<c10::IValue>> GuessExample(const torch::jit::Node* node,
                                                     const std::vector<c10::IValue>& operands, std::size_t side);

/// Of an operator that takes the sizes of its result, some of which are guessed and do not go: as many axes.
std::optional<std::vector<c10::IValue>> GuessSizes(const torch::jit::Node* node,
                                                   const std::vector<c10::IValue>& operands, std::size_t side);

}  // namespace bitplan::network
