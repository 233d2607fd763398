#include "training_graph.h"

#include <torch/csrc/jit/ir/constants.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "network/impl.h"

namespace bitplan::train {

namespace {

using torch::jit::Node;

/// Where an operator says whether it is in training.
std::optional<std::size_t> TrainingOperand(const Node* node) {
  if (!node->kind().is_aten()) return std::nullopt;
  const std::string op = network::OperatorName(node);
  if (op.find("dropout") != std::string::npos) return node->schema().argumentIndexWithName("train");
  if (op == "lstm" || op == "gru" || op == "rnn_tanh" || op == "rnn_relu")
    return node->schema().argumentIndexWithName("train");
  return std::nullopt;
}

void Replace(torch::jit::Graph& graph, Node* node, std::size_t operand, const c10::IValue& value) {
  const torch::jit::WithInsertPoint before(node);
  node->replaceInput(operand, graph.insertConstant(value));
}

/// Operands of aten::batch_norm: input, weight, bias, mean, variance, training, momentum, eps, cudnn_enabled.
bool TrainNorm(torch::jit::Graph& graph, Node* node) {
  if (network::ConstantBool(node->inputs()[5]) != false || node->inputs()[3]->mustBeNone()) return false;
  Replace(graph, node, 5, true);
  const auto momentum = torch::jit::toIValue(node->inputs()[6]);
  if (momentum && momentum->toDouble() == 0) Replace(graph, node, 6, kDefaultMomentum);
  return true;
}

}  // namespace

Network TrainingGraph::Of(const Network& network, bool batch_norm) {
  auto impl = std::make_shared<Network::Impl>(network.impl());
  impl->lowered.graph = network.impl().lowered.graph->copy();
  torch::jit::Graph& graph = *impl->lowered.graph;
  bool changed = false;
  for (Node* node : network::AllNodes(graph.block())) {
    if (node->kind() == c10::aten::batch_norm) {
      changed |= batch_norm && TrainNorm(graph, node);
    } else if (const auto operand = TrainingOperand(node);
               operand && network::ConstantBool(node->inputs()[*operand]) == false) {
      Replace(graph, node, *operand, true);
      changed = true;
    }
  }
  if (!changed) return network;
  impl->program = network::Program(impl->lowered.graph, "training");
  return Network(std::move(impl));
}

std::string TrainingGraph::RemainingOutput(const Network& network) { return network.impl().output; }

}  // namespace bitplan::train
