#include "lower.h"

#include <fmt/format.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/inliner.h>

#include <map>
#include <string>
#include <utility>

#include "attributes.h"
#include "bitplan/error.h"
#include "fused_attention.h"
#include "input_value.h"
#include "outside_effects.h"
#include "plain_graph.h"

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

}  // namespace

LoweredGraph Lower(const torch::jit::Module& module, const std::map<std::string, std::string>& input_values) {
  auto method = module.find_method("forward");
  if (!method) method = module.find_method("forward__0");  // the first of a scripted module's overloads, as nn.LSTM has
  if (!method)
    throw Error("the model has no forward method; save the module itself with torch.jit.script or torch.jit.trace");
  LoweredGraph lowered;
  lowered.graph = method->graph()->copy();
  lowered.inlined_from.push_back(module._ivalue()->compilation_unit());
  CheckInlinedSize(*lowered.graph);
  torch::jit::Inline(*lowered.graph);
  BindArguments(lowered, method->function().getSchema(), input_values);

  AttributeLifter lifter(lowered, module);
  RemoveOutsideEffects(*lowered.graph);
  lifter.LiftConstantAttributes();  // settles `training` and the like, on which branches depend
  Simplify(lowered);
  lifter.FollowState();
  lifter.RemoveSelf();
  Simplify(lowered);
  if (ResolveFusedAttention(lowered)) Simplify(lowered);
  LiftConstants(
      lowered, [&](const std::string& path) { return lifter.HasTensorOf(path); },
      [&](const c10::IValue& value, const std::string& name) { return lifter.Lift(value, name); });
  MakePlain(lowered);
  return lowered;
}

}  // namespace bitplan::network
