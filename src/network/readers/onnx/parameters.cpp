#include "readers/onnx/parameters.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "onnx/layer_name.h"

namespace bitplan::network {

using torch::jit::Value;

namespace {

/// What an operator's inputs are called in PyTorch; empty of those that are no parameters.
const std::map<std::string, std::vector<std::string>>& Roles() {
  static const std::vector<std::string> layer{"", "weight", "bias"}, recurrent{"", "weight_ih", "weight_hh", "bias"};
  static const std::map<std::string, std::vector<std::string>> roles{
      {"Conv", layer},
      {"ConvTranspose", layer},
      {"Gemm", {"weight", "weight", "bias"}},
      {"MatMul", {"weight", "weight"}},
      {"Add", {"bias", "bias"}},
      {"Gather", {"weight"}},
      {"PRelu", {"", "weight"}},
      {"LayerNormalization", layer},
      {"RMSNormalization", layer},
      {"GroupNormalization", layer},
      {"InstanceNormalization", layer},
      {"BatchNormalization", {"", "weight", "bias", "running_mean", "running_var"}},
      {"LSTM", recurrent},
      {"GRU", recurrent},
      {"RNN", recurrent}};
  return roles;
}

std::string RoleOf(const onnx::Node& node, std::size_t input) {
  const auto found = Roles().find(node.op);
  return found != Roles().end() && input < found->second.size() ? found->second[input] : "";
}

/// Operators through which a tensor is still the weight that it was.
bool PassesOn(const std::string& op) {
  static const std::set<std::string> all{"Identity", "Transpose", "Reshape", "Cast", "Unsqueeze", "Squeeze", "Expand"};
  return all.contains(op);
}

std::string Dotted(std::string name) {
  std::replace(name.begin(), name.end(), '/', '.');
  return name;
}

}  // namespace

OnnxParameters::OnnxParameters(LoweredGraph& lowered, OnnxBuilder& builder, const onnx::Graph& graph)
    : lowered_(lowered), builder_(builder) {
  FindUses(graph);
}

void OnnxParameters::FindUses(const onnx::Graph& graph) {
  for (const onnx::Node& node : graph.nodes) {
    for (std::size_t i = 0; i < node.inputs.size(); ++i)
      if (!PassesOn(node.op)) uses_.try_emplace(node.inputs[i], Use{&node, i});
    for (const auto& [name, value] : node.attributes)
      if (const auto* const inner = std::get_if<std::shared_ptr<const onnx::Graph>>(&value)) FindUses(**inner);
  }
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    if (!PassesOn(node->op) || node->outputs.empty() || node->inputs.empty()) continue;
    const auto use = uses_.find(node->outputs[0]);
    if (use != uses_.end()) uses_.try_emplace(node->inputs[0], use->second);
  }
}

std::string OnnxParameters::NameOf(const onnx::Tensor& tensor, const Use& use) {
  std::string name = Dotted(tensor.name);
  if (use.node) {
    const std::string role = RoleOf(*use.node, use.input);
    const std::string layer = onnx::LayerName(tensor.name, *use.node);
    const bool is_own = name.starts_with(layer + ".") || name == layer;
    if (!is_own && !role.empty()) name = layer + "." + role;
  }
  std::string unique = name;
  for (int number = 2; !taken_.insert(unique).second; ++number) unique = fmt::format("{}_{}", name, number);
  return unique;
}

OnnxValue OnnxParameters::Add(const onnx::Tensor& tensor) {
  const at::Tensor values = OnnxTensor(tensor);
  if (!values.is_floating_point() || values.dim() == 0 || tensor.source == onnx::Source::Constant)
    return {builder_.Constant(values)};
  Value*& tied = tied_[{tensor.bytes.data(), tensor.shape}];
  if (tied && !tensor.bytes.empty()) return {tied};
  const auto found = uses_.find(tensor.name);
  const Use use = found == uses_.end() ? Use{} : found->second;
  const std::string role = use.node ? RoleOf(*use.node, use.input) : "";
  const bool trainable = !role.empty() && !role.starts_with("running_");
  tied = lowered_.AddParameter({NameOf(tensor, use), values.to(builder_.device()), trainable});
  const c10::IValue empty = values.to(at::kMeta);
  builder_.SetExamples(tied, {empty, empty});
  return {tied};
}

}  // namespace bitplan::network
