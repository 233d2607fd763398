#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "network/lowered_graph.h"

namespace bitplan::network {

/// The values of a graph that are the same in every run, since parameters and constants alone make them.
class FixedValues {
 public:
  explicit FixedValues(const LoweredGraph& lowered);

  /// Nodes with blocks, and what they make, do not count as fixed.
  bool Holds(const torch::jit::Value* value);

  /// The same number for values that the same operators make of the same parameters and constants. Needs fixed values.
  int NumberOf(torch::jit::Value* value);

  /// The parameters that a fixed value is made of, in the order in which its operators read them.
  std::vector<std::size_t> ParametersOf(torch::jit::Value* value) const;

  /// What a fixed tensor is.
  at::Tensor Compute(torch::jit::Value* value) const;

 private:
  bool IsFixed(const torch::jit::Value* value);

  const LoweredGraph& lowered_;
  std::set<const torch::jit::Value*> written_;
  std::map<const torch::jit::Value*, bool> fixed_;
  std::map<const torch::jit::Value*, int> numbers_;
  std::map<std::string, int> number_of_text_;
};

}  // namespace bitplan::network
