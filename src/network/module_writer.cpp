#include "network/module_writer.h"

#include <torch/csrc/jit/api/compilation_unit.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>

#include "network/probe_operator.h"

namespace bitplan::network {

using torch::jit::Node;
using torch::jit::Value;
using torch::jit::WithInsertPoint;

ModuleWriter::ModuleWriter(const LoweredGraph& lowered, const std::string& class_name)
    : lowered_(lowered), graph_(lowered.graph->copy()), module_(class_name) {
  module_.register_attribute("training", c10::BoolType::get(), false);
  self_ = graph_->insertInput(0, "self")->setType(module_._ivalue()->type());
}

torch::jit::Module ModuleWriter::Write() {
  ReplaceTaps();
  graph_->eraseInput(graph_->inputs().size() - 1);  // the probe
  CopyWrittenInputs();
  ReplaceParameters();
  torch::jit::EliminateDeadCode(graph_);
  auto* const function = module_._ivalue()->compilation_unit()->create_function(
      c10::QualifiedName(*module_.type()->name(), "forward"), graph_);
  module_.type()->addMethod(function);
  return module_;
}

void ModuleWriter::ReplaceTaps() {
  for (Node* node : AllNodes(graph_->block())) {
    if (node->kind() != TapSymbol()) continue;
    const WithInsertPoint before(node);
    node->output()->replaceAllUsesWith(SiteValue(lowered_.SiteOf(node), Tapped(node)));
    node->destroy();
  }
}

/// As each run of the network does.
void ModuleWriter::CopyWrittenInputs() {
  for (const std::size_t index : lowered_.written_inputs) {
    Value* const input = graph_->inputs()[1 + index];
    const WithInsertPoint at_start(*graph_->nodes().begin());
    Value* const copy = graph_->insert(c10::aten::clone, {input});
    input->replaceAllUsesAfterNodeWith(copy->node(), copy);
  }
}

void ModuleWriter::ReplaceParameters() {
  for (std::size_t i = 0; i < lowered_.parameters.size(); ++i) {
    const WithInsertPoint at_start(*graph_->nodes().begin());
    Value* const value = ParameterValue(i);
    const std::size_t position = 1 + lowered_.arguments.size();
    graph_->inputs()[position]->replaceAllUsesWith(value);
    graph_->eraseInput(position);
  }
}

}  // namespace bitplan::network
