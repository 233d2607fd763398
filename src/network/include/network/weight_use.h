#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "network/lowered_graph.h"
#include "network/weight_operand.h"

namespace bitplan::network {

/// How an operator uses a weight: which operand, along which of its axes the output channels lie, and what else it
/// reads.
struct WeightUse {
  std::string op;
  int weight_operand = -1;
  torch::jit::Value* weight = nullptr;  ///< the operand itself, or an item of a list operand
  int channel_axis = 0;                 ///< in the operand's own axes, from the back where negative
  int contracted_axis = -1;  ///< likewise, the axis summed over; convolutions sum over all axes but the first
  int input_operand = -1;    ///< −1: not a tensor that can be tapped
  int bias_operand = -1;
  bool adds_other = false;  ///< the result also holds something that is no bias of the layer's channels
  int output_dim = 0;       ///< axis of the result, from the back, that the channels make; 0: none
  enum class Count { PerOutput, PerInput, PerStep, None } count = Count::PerOutput;
  int step_operand = -1;           ///< PerStep: the tensor that holds one row a step
  std::int64_t step_features = 1;  ///< PerStep: length of such a row
};

/// The ways in which `node` may read weights, the likeliest first; that the operands are weights is for the caller to
/// check.
std::vector<WeightUse> PossibleUses(const LoweredGraph& lowered, torch::jit::Node* node);

/// How `node` reads the weight that the parameter of this number is, and the weight through its views; nothing where it
/// does not.
std::optional<std::pair<WeightUse, WeightOperand>> ReadingOf(const LoweredGraph& lowered, const torch::jit::Node* node,
                                                             std::size_t parameter);

/// Whether the operand is all of the weight in its own type, its axes in any order.
bool IsWholeWeight(const LoweredGraph& lowered, const WeightUse& use, const WeightOperand& operand);

}  // namespace bitplan::network
