#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "bitplan/network.h"
#include "network/lowered_graph.h"
#include "network/program.h"

namespace bitplan::network {

/// What the steps of one run share: those who make steps derive from it what theirs need.
class StepNotes {
 public:
  virtual ~StepNotes() = default;
};

/// A computation that takes the place of operators; its operations are differentiated like any others.
using Step = std::function<at::Tensor(const std::vector<at::Tensor>& operands, StepNotes& notes)>;

/// The same with several results.
using StepOfSeveral = std::function<std::vector<at::Tensor>(const std::vector<at::Tensor>& operands, StepNotes& notes)>;

/// One use of a layer whose input and result are tapped, and where its operator stands in the program's graph.
struct LayerOperator {
  int layer = -1;
  std::size_t use = 0;
  const torch::jit::Node* node = nullptr;  ///< in the network's own graph
  torch::jit::Value* input = nullptr;      ///< in the program's graph: what the input's tap gives
  torch::jit::Value* result = nullptr;     ///< in the program's graph: what the result's tap gives
};

/// A network's graph in which steps take the place of some operators. First edited, then compiled, then run any number
/// of times.
class StepProgram {
 public:
  explicit StepProgram(const Network& network);

  const std::shared_ptr<torch::jit::Graph>& graph() const { return graph_; }
  const std::vector<LayerOperator>& layers() const { return layers_; }

  /// The site of a tap; nothing for other nodes.
  std::optional<int> SiteOf(const torch::jit::Node* node) const;

  /// A step at the graph's insertion point, and what it gives.
  torch::jit::Value* Insert(const std::vector<torch::jit::Value*>& operands, Step step);

  /// The same of a step with `count` results, as many values.
  std::vector<torch::jit::Value*> InsertSeveral(const std::vector<torch::jit::Value*>& operands, StepOfSeveral step,
                                                std::size_t count);

  static bool IsStep(const torch::jit::Node* node);

  void Compile();

  /// What the network returns. `probe` is called by the taps that are still in the graph. Throws Error as
  /// Network::Forward does.
  at::Tensor Run(const std::vector<at::Tensor>& inputs, const std::vector<at::Tensor>& parameters, Probe* probe,
                 StepNotes& notes) const;

 private:
  torch::jit::Node* InsertNode(c10::Symbol kind, const std::vector<torch::jit::Value*>& operands, std::size_t number);

  Network network_;
  std::shared_ptr<torch::jit::Graph> graph_;
  torch::jit::Value* handle_ = nullptr;  // the last input: what carries the steps
  std::vector<LayerOperator> layers_;
  std::vector<Step> steps_;
  std::vector<StepOfSeveral> steps_of_several_;
  Program program_;
};

}  // namespace bitplan::network
