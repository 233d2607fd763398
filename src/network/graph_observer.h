#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "network/lowered_graph.h"

namespace bitplan::network {

/// Something that an operator of the graph does, in one of its executions, with a tensor.
struct Observation {
  const torch::jit::Node* node = nullptr;
  bool result = false;  ///< makes the tensor, or reads it
  int site = -1;        ///< reads it as a layer reads a site
};

/// Taps everything that operators read and make in a copy of a network's graph, which has the same inputs.
class GraphObserver {
 public:
  /// Keeps references to both.
  GraphObserver(const LoweredGraph& lowered, const std::vector<Site>& sites);

  const std::shared_ptr<torch::jit::Graph>& graph() const { return graph_; }

  /// What the tap of this number stands for; nothing for the network's own taps.
  const Observation* Of(std::int64_t tap) const;

 private:
  void Observe(torch::jit::Node* node);
  void Read(torch::jit::Node* node, torch::jit::Value* operand);
  int SiteOf(const torch::jit::Value* operand) const;
  void Tap(torch::jit::Value* value, const Observation& observation);

  const LoweredGraph& lowered_;
  const std::vector<Site>& sites_;
  std::shared_ptr<torch::jit::Graph> graph_;
  std::size_t taps_;  // of the network
  torch::jit::Value* probe_ = nullptr;
  std::vector<Observation> observations_;
};

}  // namespace bitplan::network
