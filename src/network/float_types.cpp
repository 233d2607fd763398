#include "float_types.h"

#include <ATen/ATen.h>
#include <torch/csrc/jit/ir/constants.h>

#include <set>

namespace bitplan::network {

namespace {

using torch::jit::Node;

/// Makes them float32. Returns the other floating-point types that they had.
std::set<at::ScalarType> Convert(std::vector<Parameter>& parameters) {
  std::set<at::ScalarType> types;
  for (Parameter& parameter : parameters) {
    parameter.value = parameter.value.detach();
    if (!parameter.value.is_floating_point()) continue;
    types.insert(parameter.value.scalar_type());
    parameter.value = parameter.value.to(at::kFloat);
  }
  types.erase(at::kFloat);
  return types;
}

/// Puts float32 where an operator is told one of the types.
void ReplaceTypes(Node* node, const std::set<at::ScalarType>& types) {
  const auto* const schema = node->maybeSchema();
  if (!schema) return;
  for (std::size_t i = 0; i < node->inputs().size() && i < schema->arguments().size(); ++i) {
    if (schema->arguments()[i].name() != "dtype") continue;
    const auto type = torch::jit::toIValue(node->inputs()[i]);
    if (!type || !type->isInt() || !types.contains(static_cast<at::ScalarType>(type->toInt()))) continue;
    const torch::jit::WithInsertPoint before(node);
    node->replaceInput(i, node->owningGraph()->insertConstant(static_cast<std::int64_t>(at::kFloat)));
  }
}

/// Casts the caller's tensors to float32, those of floating-point types: as a run of the network does, and for those
/// who run the graph by themselves.
void CastArguments(LoweredGraph& lowered) {
  torch::jit::Graph& graph = *lowered.graph;
  for (std::size_t i = 0; i < lowered.arguments.size(); ++i) {
    torch::jit::Value* const argument = graph.inputs()[i];
    const torch::jit::WithInsertPoint at_start(*graph.nodes().begin());
    torch::jit::Value* const floats = graph.insert(c10::aten::is_floating_point, {argument});
    Node* const branch = graph.insertNode(graph.create(c10::prim::If, {floats}, 1));
    branch->output()->setType(c10::TensorType::get());
    {
      const torch::jit::WithInsertPoint inside(branch->addBlock());
      branch->blocks()[0]->registerOutput(
          graph.insert(c10::aten::to, {argument, static_cast<std::int64_t>(at::kFloat)}));
    }
    branch->addBlock()->registerOutput(argument);
    argument->replaceAllUsesAfterNodeWith(branch, branch->output());
  }
}

}  // namespace

void ComputeInFloat(LoweredGraph& lowered) {
  const std::set<at::ScalarType> types = Convert(lowered.parameters);
  if (types.empty()) return;
  for (Node* node : AllNodes(lowered.graph->block())) ReplaceTypes(node, types);
  CastArguments(lowered);
}

}  // namespace bitplan::network
