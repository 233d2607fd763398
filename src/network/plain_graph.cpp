#include "plain_graph.h"

#include <fmt/format.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/constant_propagation.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>
#include <torch/csrc/jit/passes/loop_unrolling.h>
#include <torch/csrc/jit/passes/lower_tuples.h>
#include <torch/csrc/jit/passes/peephole.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "dict_contents.h"
#include "functionalize.h"
#include "fused_attention.h"
#include "list_contents.h"
#include "network/operator_arguments.h"
#include "network/strides.h"

namespace bitplan::network {

namespace {

using torch::jit::Node;
using torch::jit::Value;

/// Whether a loop takes its weights from a list, one an iteration.
bool LoopsOverParameters(const LoweredGraph& lowered) {
  for (const Node* node : AllNodes(lowered.graph->block())) {
    if (node->kind() != c10::aten::__getitem__ || node->owningBlock() == lowered.graph->block()) continue;
    const Node* const list = Subject(node)->node();
    if (list->kind() != c10::prim::ListConstruct) continue;
    for (const Value* item : list->inputs())
      if (lowered.ParameterOf(item)) return true;
  }
  return false;
}

/// A name for a constant of which neither the model's own tensors nor the parameters so far make use.
std::string ConstantName(const LoweredGraph& lowered, const std::function<bool(const std::string&)>& has_tensor_of,
                         std::size_t& count) {
  for (;;) {
    const std::string name = fmt::format("constant{}", count++);
    const bool taken = std::any_of(lowered.parameters.begin(), lowered.parameters.end(),
                                   [&](const Parameter& parameter) { return IsOrHolds(name, parameter.name); });
    if (!taken && !has_tensor_of(name)) return name;
  }
}

}  // namespace

void LiftConstants(LoweredGraph& lowered, const std::function<bool(const std::string&)>& has_tensor_of,
                   const std::function<Value*(const c10::IValue&, const std::string&)>& lift) {
  std::size_t count = 0;
  for (Node* node : AllNodes(lowered.graph->block())) {
    if (node->kind() != c10::prim::Constant) continue;
    const auto value = torch::jit::toIValue(node->output());
    if (!value || !(value->isTensor() || value->isTensorList())) continue;
    if (value->isTensor() && (!value->toTensor().is_floating_point() || value->toTensor().dim() == 0)) continue;
    const std::string name = ConstantName(lowered, has_tensor_of, count);
    const std::size_t before = lowered.parameters.size();
    node->output()->replaceAllUsesWith(lift(*value, name));
    for (std::size_t i = before; i < lowered.parameters.size(); ++i)
      if (IsOrHolds(name, lowered.parameters[i].name)) lowered.nameless.insert(lowered.parameters[i].name);
  }
}

void LiftConstants(LoweredGraph& lowered) {
  LiftConstants(
      lowered, [](const std::string&) { return false; },
      [&](const c10::IValue& value, const std::string& name) {
        if (value.isTensor()) return lowered.AddParameter({name, value.toTensor()});
        std::vector<Value*> items;
        for (const at::Tensor& tensor : value.toTensorVector())
          items.push_back(lowered.AddParameter({fmt::format("{}.{}", name, items.size()), tensor}));
        const torch::jit::WithInsertPoint at_start(*lowered.graph->nodes().begin());
        return lowered.graph->insertNode(lowered.graph->createList(c10::TensorType::get(), items))->output();
      });
}

void Simplify(LoweredGraph& lowered) {
  std::string before, after = lowered.graph->toString(/*print_source_locations=*/false);
  do {  // what the peephole pass returns does not serve: on some graphs it reports a change for ever
    before = std::move(after);
    SettleLists(*lowered.graph);
    SettleDicts(*lowered.graph);
    torch::jit::ConstantPropagation(lowered.graph);
    torch::jit::PeepholeOptimize(lowered.graph, /*disable_shape_peepholes=*/true);
    torch::jit::LowerSimpleTuples(lowered.graph);
    if (LoopsOverParameters(lowered) || WritesToContainersInLoops(*lowered.graph))
      torch::jit::UnrollConstantLoops(lowered.graph);
    after = lowered.graph->toString(/*print_source_locations=*/false);
  } while (after != before);
  torch::jit::EliminateDeadCode(lowered.graph);
}

void MakePlain(LoweredGraph& lowered) {
  Simplify(lowered);
  if (ResolveFusedAttention(lowered)) Simplify(lowered);
  Functionalize(lowered);
  FreeViewsOfStrides(lowered);
  Simplify(lowered);
  lowered.RemoveUnusedParameters();
}

}  // namespace bitplan::network
