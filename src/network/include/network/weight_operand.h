#pragma once

#include <optional>
#include <string>
#include <vector>

#include "network/lowered_graph.h"

namespace bitplan::network {

/// A parameter seen through views that keep its elements (transposes, slices, chunks, casts).
struct WeightOperand {
  std::size_t parameter = 0;
  std::vector<std::int64_t> axes;  ///< axis of the parameter for each axis of the operand
  std::vector<std::int64_t>
      sizes;  ///< shape of the operand; where a view takes a part that only a run tells, the whole
};

/// The parameter behind `value`, or nothing when it is an activation or computed in a way that does not keep elements.
std::optional<WeightOperand> ResolveWeight(const LoweredGraph& lowered, const torch::jit::Value* value);

/// Name of a parameter that `value` is computed from, when no activation takes part; else empty.
std::string ComputedFrom(const LoweredGraph& lowered, const torch::jit::Value* value);

/// Whether `node` only hands on a tensor's elements in another arrangement or type.
bool IsView(const torch::jit::Node* node);

}  // namespace bitplan::network
