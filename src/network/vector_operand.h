#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "network/lowered_graph.h"

namespace bitplan::network {

/// A parameter that is a vector of numbers along one axis of the tensors that it meets.
struct VectorOperand {
  std::size_t parameter = 0;
  std::int64_t rank = 1, axis = 0;  ///< its shape has so many axes, all but this one of size 1
  double offset = 0;                ///< what is added to it first, as in 1 + w

  int FromBack() const { return static_cast<int>(axis - rank); }
};

/// The parameter behind `value`, seen through casts, added numbers and axes of size 1, when nothing else reads it;
/// otherwise nothing.
std::optional<VectorOperand> ResolveVector(const LoweredGraph& lowered, const torch::jit::Value* value);

}  // namespace bitplan::network
