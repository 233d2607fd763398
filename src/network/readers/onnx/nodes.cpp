#include "readers/onnx/nodes.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "bitplan/error.h"
#include "network/onnx_node.h"
#include "network/torch_error.h"

namespace bitplan::network {

namespace {

/// Nodes of all bodies of loops together, which are inserted anew for each iteration that is written out.
constexpr std::size_t kMostInserted = 1'000'000;

/// What follows a detector and has no operator in ATen.
bool EndsNetwork(const std::string& op) {
  static const std::set<std::string> all{"NonMaxSuppression", "RoiAlign", "MaxRoiPool", "DeformConv"};
  return all.contains(op);
}

bool IsRandom(const std::string& op) {
  static const std::set<std::string> all{"Bernoulli",     "Multinomial",      "RandomNormal",
                                         "RandomUniform", "RandomNormalLike", "RandomUniformLike"};
  return all.contains(op);
}

std::string Described(const onnx::Node& node) { return fmt::format("{} '{}'", node.op, node.name); }

}  // namespace

void OnnxNodes::Insert(const onnx::Graph& graph, OnnxScope& scope) {
  for (const onnx::Tensor& tensor : graph.initializers) scope.insert_or_assign(tensor.name, parameters_.Add(tensor));
  for (const onnx::Node& node : graph.nodes) {
    try {
      InsertNode(node, scope);
    } catch (const Error& error) {
      const std::string reason = error.what();
      if (reason.starts_with("node ")) throw;  // of a graph inside this one
      throw Error(fmt::format("node {}: {}", Described(node), reason));
    } catch (const std::exception& error) {
      if (!IsOfModel(error)) throw;
      throw Error(fmt::format("node {}: {}", Described(node), TorchReason(error)));
    }
  }
}

void OnnxNodes::InsertNode(const onnx::Node& node, OnnxScope& scope) {
  if (++inserted_ > kMostInserted) throw Error("with its loops written out the model has more than a million nodes");
  std::vector<OnnxValue> inputs;
  bool cut = EndsNetwork(node.op);
  for (const std::string& name : node.inputs) {
    inputs.push_back(name.empty() ? OnnxValue() : scope.at(name));
    cut |= inputs.back().is_cut;
  }
  const OfOnnxNode of(builder_.graph(), node.name);
  const std::vector<OnnxValue> results = cut ? Cut(node, scope) : Results(OnnxNode(node, builder_, inputs), scope);
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.outputs[i].empty()) continue;
    if (i >= results.size()) throw Error(fmt::format("its output {} is not read", i));
    scope.insert_or_assign(node.outputs[i], results[i]);
  }
}

std::vector<OnnxValue> OnnxNodes::Results(const OnnxNode& node, const OnnxScope& scope) {
  if (node.node().op == "If") return If(node, scope);
  if (node.node().op == "Loop") return Loop(node, scope);
  if (node.node().op == "Scan") return Scan(node, scope);
  if (IsRandom(node.node().op))
    throw Error("its result is random: the network would give another output each time; export it for inference");
  if (const auto integers = OnIntegers(node)) return {*integers};
  const auto found = AllOnnxOperators().find(node.node().op);
  if (found == AllOnnxOperators().end())
    throw Error("this operator is not read; leave it out of the model or express it in others");
  return found->second(node);
}

std::vector<OnnxValue> OnnxNodes::Cut(const onnx::Node& node, const OnnxScope& scope) {
  if (EndsNetwork(node.op) && cut_before_.empty()) cut_before_ = Described(node);
  for (const std::string& name : node.inputs) {
    if (name.empty() || scope.at(name).is_cut || !scope.at(name).tensor) continue;
    const auto& tensor = *scope.at(name).tensor;
    const bool computed = !builder_.ConstantOf(&tensor) && tensor.node()->kind() != c10::prim::Param;
    const auto examples =
        builder_.ExamplesOf(&tensor);  // of indices, such as the sample that a box is of, there is no error
    const bool is_measured = !examples || (*examples)[0].toTensor().is_floating_point();
    if (computed && is_measured && std::find(cut_at_.begin(), cut_at_.end(), name) == cut_at_.end())
      cut_at_.push_back(name);
  }
  OnnxValue cut;
  cut.is_cut = true;
  return std::vector<OnnxValue>(node.outputs.size(), cut);
}

}  // namespace bitplan::network
