#include "recurrent_state.h"

#include <ATen/core/Tensor.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/library.h>

#include <algorithm>
#include <vector>

#include "bitplan/error.h"
#include "network/lowered_graph.h"
#include "network/operator_arguments.h"
#include "network/operator_traits.h"

namespace bitplan::network {

namespace {

using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;

at::Tensor CheckState(const at::Tensor& input, const std::vector<at::Tensor>& states, bool batch_first) {
  if (input.dim() != 3) return input;
  const std::int64_t samples = input.size(batch_first ? 0 : 1);
  for (const at::Tensor& state : states)  // [layers, samples, features]
    if (state.dim() != 3 || state.size(1) != samples)
      throw Error(fmt::format("a recurrent layer reads {} samples and is given a first state of shape [{}]", samples,
                              fmt::join(state.sizes(), ", ")));
  return input;
}

TORCH_LIBRARY_FRAGMENT(bitplan, library) {
  library.def("check_state(Tensor(a) input, Tensor[] states, bool batch_first) -> Tensor(a)", CheckState);
}

/// A recurrent operator over padded sequences.
bool IsRecurrent(const Node* node) {
  return node->kind().is_aten() && Has(node, OperatorTrait::Recurrent) && ArgumentPosition(node, "batch_first");
}

void InsertCheck(Graph& graph, Node* node) {
  const torch::jit::WithInsertPoint before(node);
  Value* states = Argument(node, "hx");
  if (states->type()->isSubtypeOf(*c10::TensorType::get()))
    states = graph.insertNode(graph.createList(c10::TensorType::get(), {states}))->output();
  Value* const checked = graph.insert(c10::Symbol::fromQualString("bitplan::check_state"),
                                      {Subject(node), states, Argument(node, "batch_first")});
  node->replaceInput(0, checked);
}

}  // namespace

std::shared_ptr<Graph> WithCheckedStates(const std::shared_ptr<Graph>& graph) {
  const std::vector<Node*> nodes = AllNodes(graph->block());
  if (std::none_of(nodes.begin(), nodes.end(), IsRecurrent)) return graph;
  const std::shared_ptr<Graph> checked = graph->copy();
  for (Node* node : AllNodes(checked->block()))
    if (IsRecurrent(node)) InsertCheck(*checked, node);
  return checked;
}

}  // namespace bitplan::network
