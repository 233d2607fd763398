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
      {"CausalConvWithState", layer},
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

bool IsRecurrent(const onnx::Node& node) {
  return (node.op == "LSTM" || node.op == "GRU" || node.op == "RNN") && node.inputs.size() > 1;
}

std::string Dotted(std::string name) {
  std::replace(name.begin(), name.end(), '/', '.');
  return name;
}

}  // namespace

OnnxParameters::OnnxParameters(LoweredGraph& lowered, OnnxBuilder& builder, const onnx::Graph& graph)
    : lowered_(lowered), builder_(builder) {
  FindUses(graph, /*is_inside=*/false);
}

void OnnxParameters::FindUses(const onnx::Graph& graph, bool is_inside) {
  for (const onnx::Node& node : graph.nodes) {
    if (IsRecurrent(node)) recurrent_[onnx::LayerName(node.inputs[1], node)].push_back(&node);
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const Use use{&node, i, is_inside};
      uses_[node.inputs[i]].push_back(use);
      if (!PassesOn(node.op)) meanings_.try_emplace(node.inputs[i], use);
    }
    for (const auto& [name, value] : node.attributes)
      if (const auto* const inner = std::get_if<std::shared_ptr<const onnx::Graph>>(&value))
        FindUses(**inner, /*is_inside=*/true);
  }
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    if (!PassesOn(node->op) || node->outputs.empty() || node->inputs.empty()) continue;
    const auto use = meanings_.find(node->outputs[0]);
    if (use != meanings_.end()) meanings_.try_emplace(node->inputs[0], use->second);
  }
}

OnnxParameters::Use OnnxParameters::MeaningOf(const std::string& name) const {
  const auto found = meanings_.find(name);
  return found == meanings_.end() ? Use{} : found->second;
}

std::string OnnxParameters::NameOf(const onnx::Tensor& tensor, const Use& use) {
  std::string name = Dotted(tensor.name);
  if (use.node) {
    const std::string role = RoleOf(*use.node, use.input);
    const std::string layer = onnx::LayerName(tensor.name, *use.node, BiasOf(*use.node));
    const bool is_own = name.starts_with(layer + ".") || name == layer;
    if (!is_own && !role.empty()) name = fmt::format("{}.{}{}", layer, role, StackedLayer(layer, *use.node));
  }
  std::string unique = name;
  for (int number = 2; !taken_.insert(unique).second; ++number) unique = fmt::format("{}_{}", name, number);
  return unique;
}

/// The name of what is added to a product: the node's third input or, where an Add follows it alone, the other of its.
/// Exporters write equal tensors once: one that several nodes read says nothing about any.
std::string OnnxParameters::BiasOf(const onnx::Node& node) const {
  static const std::set<std::string> layers{"Conv", "ConvTranspose", "Gemm"};
  std::string bias;
  if (layers.contains(node.op) && node.inputs.size() > 2) bias = node.inputs[2];
  if (node.op == "MatMul" && !node.outputs.empty()) {
    const auto found = uses_.find(node.outputs[0]);
    if (found == uses_.end() || found->second.size() != 1 || found->second[0].node->op != "Add") return "";
    const onnx::Node& sum = *found->second[0].node;
    if (sum.inputs.size() == 2) bias = sum.inputs[1 - found->second[0].input];
  }
  const auto readers = uses_.find(bias);
  return readers != uses_.end() && readers->second.size() == 1 ? bias : "";
}

/// "_l1" of the second recurrent node of a module, as PyTorch counts the layers of one; nothing of other operators.
std::string OnnxParameters::StackedLayer(const std::string& layer, const onnx::Node& node) const {
  if (!IsRecurrent(node)) return "";
  const auto found = recurrent_.find(layer);
  if (found == recurrent_.end()) return "_l0";
  const auto place = std::find(found->second.begin(), found->second.end(), &node);
  return fmt::format("_l{}", place - found->second.begin());
}

Value* OnnxParameters::AddOne(std::string name, const at::Tensor& values, bool trainable) {
  Value* const value = lowered_.AddParameter({std::move(name), values.to(builder_.device()), trainable});
  const c10::IValue empty = values.to(at::kMeta);
  builder_.SetExamples(value, {empty, empty});
  builder_.SetKnownTensor(value, values);
  return value;
}

/// What both directions of a recurrent layer have in one tensor are two parameters, as in PyTorch, stacked.
Value* OnnxParameters::AddNew(const onnx::Tensor& tensor, const at::Tensor& values) {
  const Use use = MeaningOf(tensor.name);
  const std::string role = use.node ? RoleOf(*use.node, use.input) : "";
  const bool trainable = !role.empty() && !role.starts_with("running_");
  const std::string name = NameOf(tensor, use);
  const bool outside = builder_.graph().insertPoint()->owningBlock() == builder_.graph().block();
  if (use.node && IsRecurrent(*use.node) && use.input <= 3 && values.dim() > 1 && values.size(0) == 2 && outside) {
    Value* const forward = AddOne(name, values[0], trainable);
    Value* const reverse = AddOne(name + "_reverse", values[1], trainable);
    return builder_.Call("aten::stack", {builder_.Tensors({forward, reverse}), 0});
  }
  Value* const value = AddOne(name, values, trainable);
  if (role == "weight") tied_.Add(values, value);
  return value;
}

void OnnxParameters::Remember(const onnx::Tensor& tensor, Value* value) {
  if (value->node()->kind() == c10::aten::stack) {
    for (Value* const part : value->node()->input(0)->node()->inputs()) Remember(tensor, part);
    return;
  }
  std::vector<TensorUse>& all = lowered_.parameters[*lowered_.ParameterOf(value)].uses;
  const auto found = uses_.find(tensor.name);
  if (found == uses_.end()) return;
  for (const Use& use : found->second)
    all.push_back(
        {tensor.name, use.node->name, use.is_inside ? -1 : use.node->index, static_cast<std::int64_t>(use.input)});
}

OnnxValue OnnxParameters::Add(const onnx::Tensor& tensor) {
  const at::Tensor values = OnnxTensor(tensor);
  if (!values.is_floating_point() || values.dim() == 0 || tensor.source == onnx::Source::Constant)
    return {builder_.Constant(values)};
  TiedWeights::Tie& own = added_[{tensor.bytes.data(), tensor.name}];
  if (!own.value) {
    own = tied_.Find(values).value_or(TiedWeights::Tie{});
    if (!own.value) own.value = AddNew(tensor, values);
    Remember(tensor, own.value);
  }
  return {own.transposed ? builder_.Call("aten::t", {own.value}) : own.value};
}

}  // namespace bitplan::network
