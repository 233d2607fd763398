#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/stack.h>
#include <torch/csrc/jit/ir/ir.h>
#include <torch/csrc/jit/runtime/interpreter.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace bitplan::network {

/// A graph, compiled to be run.
class Program {
 public:
  Program() = default;

  /// The graph must not change afterwards.
  Program(const std::shared_ptr<torch::jit::Graph>& graph, const std::string& name);

  /// The graph's inputs become its outputs.
  void Run(torch::jit::Stack& stack) const;

  /// What the first operands of one node are replaced by, one for each stack, and so are its results. `others`: the
  /// node's other operands, of the first stack.
  using Meeting = std::function<std::vector<at::Tensor>(
      const torch::jit::Node* node, const std::vector<at::Tensor>& values, const torch::jit::Stack& others)>;

  /// The same with several stacks, side by side: they wait for each other at every tap and at every batch norm that
  /// normalizes by its batch, where `meeting` computes the results of all. Those inside a loop or branch run stack by
  /// stack.
  void RunTogether(std::vector<torch::jit::Stack>& stacks, const Meeting& meeting) const;

 private:
  struct Stages;
  const Stages& stages() const;  // made when they are first asked for

  std::shared_ptr<torch::jit::Graph> graph_;
  torch::jit::Code code_;
  std::shared_ptr<Stages> stages_;
};

}  // namespace bitplan::network
