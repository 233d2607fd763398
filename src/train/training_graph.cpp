#include "training_graph.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "network/impl.h"
#include "network/operator_arguments.h"
#include "network/operator_traits.h"

namespace bitplan::train {

namespace {

using torch::jit::Node;

/// Where an operator says whether it is in training.
std::optional<std::size_t> TrainingOperand(const Node* node) {
  if (!node->kind().is_aten()) return std::nullopt;
  const bool drops = network::OperatorName(node).find("dropout") != std::string::npos;  // in place, too
  if (!drops && !network::Has(node, network::OperatorTrait::Recurrent)) return std::nullopt;
  return network::ArgumentPosition(node, "train");
}

void Replace(torch::jit::Graph& graph, Node* node, std::size_t operand, const c10::IValue& value) {
  const torch::jit::WithInsertPoint before(node);
  node->replaceInput(operand, graph.insertConstant(value));
}

bool TrainNorm(torch::jit::Graph& graph, Node* node) {
  if (network::BoolArgument(node, "training") != false) return false;
  if (network::Argument(node, "running_mean")->mustBeNone()) return false;
  Replace(graph, node, *network::ArgumentPosition(node, "training"), true);
  if (network::NumberArgument(node, "momentum") == 0)
    Replace(graph, node, *network::ArgumentPosition(node, "momentum"), kDefaultMomentum);
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
