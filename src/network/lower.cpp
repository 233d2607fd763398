#include "lower.h"

#include <fmt/format.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/constant_propagation.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>
#include <torch/csrc/jit/passes/inliner.h>
#include <torch/csrc/jit/passes/loop_unrolling.h>
#include <torch/csrc/jit/passes/lower_tuples.h>
#include <torch/csrc/jit/passes/peephole.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "attributes.h"
#include "bitplan/error.h"
#include "dict_contents.h"
#include "functionalize.h"
#include "fused_attention.h"
#include "input_value.h"
#include "list_contents.h"
#include "network/operator_arguments.h"
#include "network/strides.h"

namespace bitplan::network {

namespace {

using torch::jit::Node;
using torch::jit::Value;

/// The caller gives the tensors; every other argument of forward is fixed at the value given or its default, so that
/// branches on it settle.
void BindArguments(LoweredGraph& lowered, const c10::FunctionSchema& schema,
                   const std::map<std::string, std::string>& values) {
  auto& graph = *lowered.graph;
  CheckInputNames(schema, values);
  for (std::size_t index = 1; index < schema.arguments().size(); ++index) {
    const c10::Argument& argument = schema.arguments()[index];
    const std::size_t position = 1 + lowered.arguments.size();
    const auto given = values.find(argument.name());
    if (argument.type()->kind() == c10::TypeKind::TensorType && !argument.default_value() && given == values.end()) {
      lowered.arguments.push_back(argument.name());
      continue;
    }
    c10::IValue value = argument.default_value().value_or(c10::IValue());
    if (given != values.end()) {
      value = ParseInputValue(argument, given->second);
      lowered.input_values[argument.name()] = InputValueText(value);
    } else if (!argument.default_value() && argument.type()->kind() != c10::TypeKind::OptionalType) {
      RejectMissingValue(argument);
    }
    const torch::jit::WithInsertPoint at_start(*graph.nodes().begin());
    Value* const constant = graph.insertConstant(value);
    graph.inputs()[position]->replaceAllUsesWith(constant);
    graph.eraseInput(position);
  }
}

/// A name for a constant of which neither the model's own tensors nor the parameters so far make use.
std::string ConstantName(const LoweredGraph& lowered, const AttributeLifter& lifter, std::size_t& count) {
  for (;;) {
    const std::string name = fmt::format("constant{}", count++);
    const bool taken = std::any_of(lowered.parameters.begin(), lowered.parameters.end(),
                                   [&](const Parameter& parameter) { return IsOrHolds(name, parameter.name); });
    if (!taken && !lifter.HasTensorOf(name)) return name;
  }
}

/// Freezing and tracing leave tensors as constants in the graph; they are parameters like any other.
void LiftConstants(LoweredGraph& lowered, AttributeLifter& lifter) {
  std::size_t count = 0;
  for (Node* node : AllNodes(lowered.graph->block())) {
    if (node->kind() != c10::prim::Constant) continue;
    const auto value = torch::jit::toIValue(node->output());
    if (!value || !(value->isTensor() || value->isTensorList())) continue;
    if (value->isTensor() && (!value->toTensor().is_floating_point() || value->toTensor().dim() == 0)) continue;
    const std::string name = ConstantName(lowered, lifter, count);
    const std::size_t before = lowered.parameters.size();
    node->output()->replaceAllUsesWith(lifter.Lift(*value, name));
    for (std::size_t i = before; i < lowered.parameters.size(); ++i)
      if (IsOrHolds(name, lowered.parameters[i].name)) lowered.nameless.insert(lowered.parameters[i].name);
  }
}

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

/// Settles every branch whose condition is known: by constants, or by a type (a tensor is not None).
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

}  // namespace

LoweredGraph Lower(const torch::jit::Module& module, const std::map<std::string, std::string>& input_values) {
  auto method = module.find_method("forward");
  if (!method) method = module.find_method("forward__0");  // the first of a scripted module's overloads, as nn.LSTM has
  if (!method)
    throw Error("the model has no forward method; save the module itself with torch.jit.script or torch.jit.trace");
  LoweredGraph lowered;
  lowered.graph = method->graph()->copy();
  lowered.inlined_from.push_back(module._ivalue()->compilation_unit());
  torch::jit::Inline(*lowered.graph);
  BindArguments(lowered, method->function().getSchema(), input_values);

  AttributeLifter lifter(lowered, module);
  lifter.LiftConstantAttributes();  // settles `training` and the like, on which branches depend
  Simplify(lowered);
  lifter.FollowState();
  lifter.RemoveSelf();
  Simplify(lowered);
  if (ResolveFusedAttention(lowered)) Simplify(lowered);
  LiftConstants(lowered, lifter);
  Simplify(lowered);
  Functionalize(lowered);
  FreeViewsOfStrides(lowered);
  Simplify(lowered);
  lowered.RemoveUnusedParameters();
  return lowered;
}

}  // namespace bitplan::network
