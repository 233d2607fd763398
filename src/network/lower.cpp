#include "network/lower.h"

#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/constant_propagation.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>
#include <torch/csrc/jit/passes/inliner.h>
#include <torch/csrc/jit/passes/peephole.h>

#include <fmt/format.h>

#include "bitplan/error.h"
#include "network/attributes.h"
#include "network/fused_attention.h"

namespace bitplan {

namespace {

using torch::jit::Node;
using torch::jit::Value;

/// The caller gives the tensors; every other argument of forward is fixed at its default, so that branches on it settle.
void BindArguments(LoweredGraph& lowered, const c10::FunctionSchema& schema) {
  auto& graph = *lowered.graph;
  for (std::size_t index = 1; index < schema.arguments().size(); ++index) {
    const c10::Argument& argument = schema.arguments()[index];
    const std::size_t position = 1 + lowered.arguments.size();
    if (argument.type()->kind() == c10::TypeKind::TensorType && !argument.default_value()) {
      lowered.arguments.push_back(argument.name());
      continue;
    }
    if (!argument.default_value() && argument.type()->kind() != c10::TypeKind::OptionalType)
      throw Error(fmt::format("the model's input '{}' is of type {} and has no default; only tensors can be given", argument.name(),
                              argument.type()->str()));
    const torch::jit::WithInsertPoint at_start(*graph.nodes().begin());
    Value* const constant = graph.insertConstant(argument.default_value().value_or(c10::IValue()));
    graph.inputs()[position]->replaceAllUsesWith(constant);
    graph.eraseInput(position);
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
    Value* const lifted = lifter.Lift(*value, node->output()->type(), fmt::format("constant{}", count++));
    node->output()->replaceAllUsesWith(lifted);
  }
}

/// Settles every branch whose condition is known: by constants, or by a type (a tensor is not None).
void Simplify(LoweredGraph& lowered) {
  do torch::jit::ConstantPropagation(lowered.graph);
  while (torch::jit::PeepholeOptimize(lowered.graph, /*disable_shape_peepholes=*/true));
  torch::jit::EliminateDeadCode(lowered.graph);
}

}  // namespace

LoweredGraph Lower(const torch::jit::Module& module) {
  auto method = module.find_method("forward");
  if (!method) method = module.find_method("forward__0");  // the first of a scripted module's overloads, as nn.LSTM has
  if (!method) throw Error("the model has no forward method; save the module itself with torch.jit.script or torch.jit.trace");
  LoweredGraph lowered{method->graph()->copy(), {}, {}, {}};
  torch::jit::Inline(*lowered.graph);
  BindArguments(lowered, method->function().getSchema());

  AttributeLifter lifter(lowered, module);
  lifter.LiftConstantAttributes();  // settles `training` and the like, on which branches depend
  Simplify(lowered);
  lifter.FollowState();
  lifter.RemoveSelf();
  Simplify(lowered);
  if (ResolveFusedAttention(*lowered.graph)) Simplify(lowered);
  LiftConstants(lowered, lifter);
  Simplify(lowered);
  lowered.RemoveUnusedParameters();
  return lowered;
}

}  // namespace bitplan
