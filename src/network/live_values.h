#pragma once

#include <torch/csrc/jit/ir/alias_analysis.h>

#include <cstddef>
#include <vector>

#include "graph_copy.h"
#include "network/lowered_graph.h"

namespace bitplan::network {

/// What a run has to know at a point between two top-level operators of a network to go on from there.
class LiveValues {
 public:
  explicit LiveValues(const LoweredGraph& lowered);

  const TopLevel& top() const { return top_; }

  /// What was computed before the operator at `position` and is read from there on or returned, constants aside; not
  /// the graph's inputs.
  std::vector<torch::jit::Value*> At(std::size_t position) const;

  /// Whether what is live at `position` is all that a run needs. Lists that are written to cannot be copied at a point,
  /// and neither can a model's own buffers.
  bool CanBeKept(std::size_t position) const;

  bool IsWritten(const torch::jit::Value* tensor) const;

 private:
  const LoweredGraph& lowered_;
  TopLevel top_;
  torch::jit::AliasDb aliases_;
};

}  // namespace bitplan::network
