#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include <cstddef>
#include <map>
#include <memory>
#include <vector>

namespace bitplan::network {

/// A graph that is built from nodes of another one.
class GraphCopy {
 public:
  /// To be built, with the same inputs as `from`.
  static GraphCopy WithInputsOf(const torch::jit::Graph& from);

  /// A new input, which stands for `value`.
  void AddInput(torch::jit::Value* value);

  /// Operands that are neither inputs nor copied before are copied where they are constants and become inputs where
  /// they are not.
  void Add(torch::jit::Node* node);

  /// What stands for `value`.
  torch::jit::Value* Find(torch::jit::Value* value);

  const std::shared_ptr<torch::jit::Graph>& graph() const { return graph_; }
  const std::vector<torch::jit::Value*>& inputs() const { return inputs_; }  ///< what the graph's inputs stand for

 private:
  std::shared_ptr<torch::jit::Graph> graph_ = std::make_shared<torch::jit::Graph>();
  std::vector<torch::jit::Value*> inputs_;
  std::map<const torch::jit::Value*, torch::jit::Value*> copies_;
};

/// The nodes at the top level of a graph, in order, and where the others belong.
class TopLevel {
 public:
  explicit TopLevel(torch::jit::Graph& graph);

  const std::vector<torch::jit::Node*>& nodes() const { return nodes_; }

  /// Position of the top-level node that `node` is, or is in; the end for the node that returns.
  std::size_t PositionOf(const torch::jit::Node* node) const;

 private:
  std::vector<torch::jit::Node*> nodes_;
  std::map<const torch::jit::Node*, std::size_t> position_;
};

}  // namespace bitplan::network
