#include "network/strides.h"

#include <torch/csrc/jit/ir/alias_analysis.h>

#include <vector>

#include "network/operator_arguments.h"
#include "network/operator_traits.h"

namespace bitplan::network {

using torch::jit::Node;

namespace {

/// Only the elements count, and not another type that their bytes are read as.
bool IsPlainView(const Node* node) {
  return (node->kind() == c10::aten::view && node->schema().overload_name() != "dtype") ||
         node->kind() == c10::aten::_unsafe_view || node->kind() == c10::aten::view_as;
}

void PutReshape(Node* view) {
  auto& graph = *view->owningGraph();
  const torch::jit::WithInsertPoint before(view);
  const c10::Symbol kind = view->kind() == c10::aten::view_as ? c10::aten::reshape_as : c10::aten::reshape;
  Node* const reshape = graph.insertNode(graph.create(kind, view->inputs()));
  reshape->copyMetadata(view);
  reshape->output()->copyMetadata(view->output());
  view->output()->replaceAllUsesWith(reshape->output());
  view->destroy();
}

}  // namespace

void FreeViewsOfStrides(LoweredGraph& lowered) {
  std::vector<Node*> views;
  const torch::jit::AliasDb aliases(lowered.graph);
  for (Node* node : AllNodes(lowered.graph->block()))
    if (IsPlainView(node) && !aliases.hasWriters(node->output()) && !aliases.hasWriters(Subject(node)))
      views.push_back(node);
  for (Node* view : views) PutReshape(view);
}

bool DependsOnStrides(torch::jit::Graph& graph) {
  for (const Node* node : AllNodes(graph.block()))
    if (node->kind().is_aten() && Has(node, OperatorTrait::DependsOnStrides)) return true;
  return false;
}

}  // namespace bitplan::network
