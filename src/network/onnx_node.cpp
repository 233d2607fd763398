#include "network/onnx_node.h"

namespace bitplan::network {

namespace {

torch::jit::ScopePtr ScopeOf(const std::string& name) {
  return c10::make_intrusive<torch::jit::Scope>()->push(c10::Symbol::scope(name));
}

}  // namespace

OfOnnxNode::OfOnnxNode(torch::jit::Graph& graph, const std::string& name) : scope_(graph, ScopeOf(name)) {}

std::string OnnxNodeOf(const torch::jit::Node* node) {
  const torch::jit::ScopePtr scope = const_cast<torch::jit::Node*>(node)->scope();  // LibTorch has no const one
  return !scope || scope->isRoot() || scope->isBlank() ? "" : scope->name().toUnqualString();
}

}  // namespace bitplan::network
