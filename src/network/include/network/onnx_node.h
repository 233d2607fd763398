#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include <string>

namespace bitplan::network {

/// Where the operators of a node of an ONNX file are inserted, until it is destroyed: they remember the node.
class OfOnnxNode {
 public:
  /// `name`: unique in the model, as onnx::Node::name.
  OfOnnxNode(torch::jit::Graph& graph, const std::string& name);

 private:
  torch::jit::WithCurrentScope scope_;
};

/// The name of the ONNX node that an operator is from; empty where the network was not read from an ONNX file, or a
/// rewriting of the graph made the operator.
std::string OnnxNodeOf(const torch::jit::Node* node);

}  // namespace bitplan::network
