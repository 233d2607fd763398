// If.
#include <ATen/ATen.h>

#include "bitplan/error.h"
#include "readers/onnx/nodes.h"

namespace bitplan::network {

using torch::jit::Node;
using torch::jit::Value;
using torch::jit::WithInsertPoint;

std::vector<OnnxValue> OnnxNodes::Body(const onnx::Graph& graph, OnnxScope scope) {
  Insert(graph, scope);
  std::vector<OnnxValue> results;
  for (const onnx::ValueInfo& output : graph.outputs) results.push_back(scope.at(output.name));
  return results;
}

std::vector<Value*> OnnxNodes::BodyTensors(const onnx::Graph& graph, const OnnxScope& scope) {
  std::vector<Value*> tensors;
  for (const OnnxValue& value : Body(graph, scope)) {
    if (value.is_cut) throw Error("an operator that the network is cut before stands in a branch or loop");
    tensors.push_back(TensorOf(value, builder_));
  }
  return tensors;
}

/// A branch whose condition is constant is taken.
std::vector<OnnxValue> OnnxNodes::If(const OnnxNode& node, const OnnxScope& scope) {
  const onnx::Graph& yes = node.Body("then_branch");
  const onnx::Graph& no = node.Body("else_branch");
  if (const auto constant = builder_.ConstantOf(node.Input(0)))
    return Body(constant->toTensor().item<bool>() ? yes : no, scope);
  torch::jit::Graph& graph = builder_.graph();
  Value* const condition = builder_.Call("aten::Bool", {node.Input(0)});
  Node* const branch = graph.insertNode(graph.create(c10::prim::If, {condition}, node.outputs()));
  for (const onnx::Graph* const body : {&yes, &no}) {
    torch::jit::Block* const block = branch->addBlock();
    const WithInsertPoint inside(block);
    const auto results = BodyTensors(*body, scope);
    if (results.size() != node.outputs()) node.Refuse("its branches make different numbers of results");
    for (Value* const result : results) block->registerOutput(result);
  }
  std::vector<OnnxValue> all;
  for (std::size_t i = 0; i < node.outputs(); ++i) {
    Value* const output = branch->outputs()[i]->setType(c10::TensorType::get());
    const auto first = builder_.ExamplesOf(branch->blocks()[0]->outputs()[i]);
    const auto second = builder_.ExamplesOf(branch->blocks()[1]->outputs()[i]);
    // Sizes in which the branches differ are not fixed.
    if (first && second && (*first)[0].toTensor().dim() == (*second)[0].toTensor().dim())
      builder_.SetExamples(output, {(*first)[0], (*second)[1]});
    all.emplace_back(output);
  }
  return all;
}

}  // namespace bitplan::network
