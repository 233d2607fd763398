#include "onnx_places.h"

#include <fmt/format.h>
#include <torch/csrc/jit/ir/ir.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "bitplan/error.h"
#include "network/impl.h"
#include "network/onnx_node.h"
#include "network/operator_traits.h"
#include "network/probe_operator.h"
#include "network/weight_use.h"

namespace bitplan::exporters {

namespace {

using torch::jit::Node;
using torch::jit::Value;

constexpr std::size_t kTensorsOfDirection = 4;  // of ATen's recurrent operators: two weights, two biases

const Value* WithoutTaps(const Value* value) {
  while (value->node()->kind() == network::TapSymbol()) value = network::Tapped(value->node());
  return value;
}

std::int64_t IntOf(const onnx::Node& node, const std::string& name, std::int64_t otherwise) {
  const auto found = node.attributes.find(name);
  return found == node.attributes.end() ? otherwise : std::get<std::int64_t>(found->second);
}

bool IsRecurrent(const onnx::Node& node) { return node.op == "LSTM" || node.op == "GRU" || node.op == "RNN"; }

bool IsFloatingPoint(onnx::ElementType type) {
  using enum onnx::ElementType;
  return type == Float || type == Double || type == Float16 || type == Bfloat16;
}

/// Operators of which nothing is left in the network, or that hand on what they read.
bool HandsOn(const onnx::Node& node) {
  static const std::set<std::string> all{"Identity", "Dropout",   "Cast",   "Reshape",   "Flatten",
                                         "Squeeze",  "Unsqueeze", "Expand", "Transpose", "Slice"};
  return all.contains(node.op) && !node.inputs.empty();
}

/// Operators of ATen inside a node that commute with rounding to a grid that has 0.
bool CommutesWithGrids(const Node* node) {
  static const std::set<std::string> all{"constant_pad_nd", "flip", "contiguous"};
  return network::IsView(node) || all.contains(network::OperatorName(node));
}

/// Of an item among those of the list that the node reads it in.
std::size_t PositionInList(const Node* node, const Value* item) {
  for (const Value* input : node->inputs()) {
    if (input->node()->kind() != c10::prim::ListConstruct) continue;
    const auto items = input->node()->inputs();
    const auto found = std::find(items.begin(), items.end(), item);
    if (found != items.end()) return static_cast<std::size_t>(found - items.begin());
  }
  throw Error(fmt::format("a weight of {} is in none of its lists", network::OperatorName(node)));
}

/// Whether an operator of two or more tensors in ATen has them in the node's order.
bool HasOrderOfNode(const std::string& op) {
  static const std::set<std::string> all{"Add", "Sub", "Mul", "Div", "MatMul", "Pow", "Concat", "Max", "Min", "PRelu"};
  return all.contains(op);
}

}  // namespace

OnnxPlaces::OnnxPlaces(const Network& network, const onnx::Model& model) : network_(network) {
  Index(model.graph);
  for (const Node* node : network::AllNodes(network.lowered().graph->block()))
    if (const std::string name = network::OnnxNodeOf(node); !name.empty()) operators_[name].push_back(node);
}

void OnnxPlaces::Index(const onnx::Graph& graph) {
  for (const onnx::Tensor& tensor : graph.initializers) {
    tensors_[tensor.name] = &tensor;
    types_[tensor.name] = tensor.type;
    if (IsFloatingPoint(tensor.type)) elements_of_[tensor.type] += tensor.bytes.size() / onnx::BytesOf(tensor.type);
  }
  for (const auto* const values : {&graph.values, &graph.inputs, &graph.outputs})
    for (const onnx::ValueInfo& value : *values) types_[value.name] = value.type;
  for (const onnx::Node& node : graph.nodes) {
    nodes_[node.name] = &node;
    for (const std::string& output : node.outputs) makers_[output] = &node;
    for (const std::string& input : node.inputs) readers_[input].push_back(&node);
    for (const auto& [name, value] : node.attributes)
      if (const auto* const inner = std::get_if<std::shared_ptr<const onnx::Graph>>(&value)) Index(**inner);
  }
}

const onnx::Node& OnnxPlaces::NodeOf(const Node* node, const std::string& what) const {
  const std::string name = network::OnnxNodeOf(node);
  const auto found = nodes_.find(name);
  if (found == nodes_.end())
    throw Error(fmt::format("{}: it is part of an operator ({}) that stands in no node of the ONNX file by itself",
                            what, network::OperatorName(node)));
  if (found->second->index < 0)
    throw Error(fmt::format(
        "{}: node '{}' is in the body of a function, which is not patched; inline functions first (onnx.inliner)", what,
        name));
  return *found->second;
}

onnx::ElementType OnnxPlaces::TypeOf(const std::string& value) const {
  const auto known = types_.find(value);
  if (known != types_.end() && IsFloatingPoint(known->second)) return known->second;
  const auto most = std::max_element(elements_of_.begin(), elements_of_.end(),
                                     [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == elements_of_.end() ? onnx::ElementType::Float : most->first;
}

std::vector<WeightPlace> OnnxPlaces::WeightsOf(std::size_t layer) const {
  const auto weight = static_cast<std::size_t>(network_.layers()[layer].weight);
  std::vector<WeightPlace> places;
  for (const Node* node : network::AllNodes(network_.lowered().graph->block())) {
    if (!node->kind().is_aten() || !network::ReadingOf(network_.lowered(), node, weight)) continue;
    const WeightPlace place = PlaceOf(layer, node);
    const bool known = std::any_of(places.begin(), places.end(), [&](const WeightPlace& other) {
      return other.input.node == place.input.node && other.input.index == place.input.index;
    });
    if (!known) places.push_back(place);
  }
  return places;
}

WeightPlace OnnxPlaces::PlaceOf(std::size_t layer, const Node* node) const {
  const Layer& named = network_.layers()[layer];
  const std::string what = fmt::format("layer '{}'", named.name);
  const LoweredGraph& lowered = network_.lowered();
  const auto [use, operand] = *network::ReadingOf(lowered, node, static_cast<std::size_t>(named.weight));
  const onnx::Node& own = NodeOf(node, what);
  const std::string op = network::OperatorName(node);
  const at::Tensor& weight = lowered.parameters[operand.parameter].value;
  // Of one gate there is nothing to put together: all directions are one weight, as the node reads it.
  if (own.op == "RNN" && weight.dim() == 3)
    return {{own.name, 1 + PositionInList(node, use.weight) % kTensorsOfDirection}, {0, 1, 2}};
  const bool all_rows = IsRecurrent(own) && c10::multiply_integers(operand.sizes) == weight.numel();
  if (!all_rows && !network::IsWholeWeight(lowered, use, operand))
    throw Error(
        fmt::format("{}: node '{}' ({}) reads a part of its weight, or another form of it", what, own.name, own.op));
  WeightPlace place{{own.name, 1}, operand.axes};
  const auto transpose = [&] { std::swap(place.axes.end()[-1], place.axes.end()[-2]); };
  if (own.op == "Gather") {
    place.input.index = 0;
  } else if (own.op == "Gemm") {
    if ((IntOf(own, "transB", 0) != 0) != (op == "linear")) transpose();
  } else if (own.op == "MatMul") {
    if (op == "linear")
      transpose();
    else
      place.input.index = static_cast<std::size_t>(use.weight_operand);
  } else if (IsRecurrent(own)) {
    const std::size_t position = PositionInList(node, use.weight);
    place.direction = position / kTensorsOfDirection;
    place.input.index = 1 + position % kTensorsOfDirection;
  } else if (own.op != "Conv" && own.op != "ConvTranspose") {
    throw Error(fmt::format("{}: node '{}' ({}) is none whose weight is patched", what, own.name, own.op));
  }
  return place;
}

std::vector<onnx::NodeInput> OnnxPlaces::BiasesOf(std::size_t layer) const {
  std::vector<onnx::NodeInput> places;
  for (const WeightPlace& weight : WeightsOf(layer)) {
    const onnx::Node& node = NodeOf(weight.input.node);
    if (node.op != "Conv" && node.op != "ConvTranspose" && node.op != "Gemm")
      throw Error(fmt::format("layer '{}': node '{}' ({}) has no input for its bias", network_.layers()[layer].name,
                              node.name, node.op));
    places.push_back({node.name, 2});
  }
  return places;
}

/// The name of the node, of those that left something in the network, or of the model's input that a value comes from.
std::string OnnxPlaces::RootOf(const std::string& value) const {
  const auto maker = makers_.find(value);
  if (maker == makers_.end()) return value;
  const onnx::Node& node = *maker->second;
  return !operators_.contains(node.name) && HandsOn(node) ? RootOf(node.inputs[0]) : node.name;
}

/// Which of its node's inputs an operator's operand is.
std::size_t OnnxPlaces::IndexOf(const Node* node, std::size_t operand, const std::string& site) const {
  const std::string what = fmt::format("input '{}'", site);
  const onnx::Node& own = NodeOf(node, what);
  if (IsRecurrent(own) || own.op == "Conv" || own.op == "ConvTranspose" || own.op == "Gemm") return 0;
  const Value* value = WithoutTaps(node->inputs()[operand]);
  while (value->node()->kind() != c10::prim::Param && network::OnnxNodeOf(value->node()) == own.name) {
    if (!CommutesWithGrids(value->node()))
      throw Error(fmt::format("{}: it is inside of node '{}' ({}), where nothing can be put", what, own.name, own.op));
    value = WithoutTaps(value->node()->inputs()[0]);
  }
  const LoweredGraph& lowered = network_.lowered();
  std::string root = network::OnnxNodeOf(value->node());
  for (std::size_t i = 0; i < lowered.arguments.size(); ++i)
    if (lowered.graph->inputs()[i] == value) root = lowered.arguments[i];
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < own.inputs.size(); ++i)
    if (!own.inputs[i].empty() && !root.empty() && RootOf(own.inputs[i]) == root) found.push_back(i);
  if (found.size() == 1) return found[0];
  if (own.inputs.size() == 1) return 0;
  if (HasOrderOfNode(own.op) && operand < own.inputs.size()) return operand;
  throw Error(fmt::format("{}: which input of node '{}' ({}) it is cannot be told", what, own.name, own.op));
}

std::vector<onnx::NodeInput> OnnxPlaces::InputsOf(int site) const {
  std::vector<onnx::NodeInput> places;
  const std::string& name = network_.sites()[static_cast<std::size_t>(site)].name;
  for (const network::Tap& tap : network_.impl().map.taps) {
    if (tap.site != site || tap.operand < 0) continue;
    const std::string node = NodeOf(tap.node, fmt::format("input '{}'", name)).name;
    const onnx::NodeInput place{node, IndexOf(tap.node, static_cast<std::size_t>(tap.operand), name)};
    const bool known = std::any_of(places.begin(), places.end(), [&](const onnx::NodeInput& other) {
      return other.node == place.node && other.index == place.index;
    });
    if (!known) places.push_back(place);
  }
  return places;
}

std::vector<std::string> OnnxPlaces::OutputsOf(int site) const {
  std::vector<std::string> nodes;
  const std::string what = fmt::format("correction of '{}'", network_.sites()[static_cast<std::size_t>(site)].name);
  for (const network::Tap& tap : network_.impl().map.taps) {
    if (tap.site != site || tap.operand >= 0) continue;
    const onnx::Node& own = NodeOf(tap.node, what);
    const Value* value = tap.node->output();
    for (const torch::jit::Use& use : value->uses())
      if (use.user->kind() == network::TapSymbol()) value = use.user->output();
    for (const torch::jit::Use& use : value->uses())
      if (own.op != "Gemm" && network::OnnxNodeOf(use.user) == own.name && use.user->kind().is_aten())
        throw Error(
            fmt::format("{}: it is inside of node '{}' ({}), where nothing can be added", what, own.name, own.op));
    if (std::find(nodes.begin(), nodes.end(), own.name) == nodes.end()) nodes.push_back(own.name);
  }
  return nodes;
}

std::vector<std::string> OnnxPlaces::NormsOf(std::size_t layer) const {
  const Layer& named = network_.layers()[layer];
  const LoweredGraph& lowered = network_.lowered();
  if (!lowered.folded_norms.contains(lowered.parameters[static_cast<std::size_t>(named.weight)].name)) return {};
  std::vector<std::string> norms;
  const onnx::Node* node = &NodeOf(WeightsOf(layer).front().input.node);
  for (;;) {
    std::vector<const onnx::Node*> readers;
    if (const auto found = readers_.find(node->outputs[0]); found != readers_.end())
      std::copy_if(found->second.begin(), found->second.end(), std::back_inserter(readers),
                   [](const onnx::Node* reader) { return reader->op != "Shape"; });
    if (readers.size() != 1) break;
    node = readers.front();
    const auto left = operators_.find(node->name);
    const bool stayed = left != operators_.end() &&
                        std::any_of(left->second.begin(), left->second.end(),
                                    [](const Node* operation) { return operation->kind() == c10::aten::batch_norm; });
    if (node->op == "BatchNormalization" && !stayed)
      norms.push_back(node->name);
    else if (!HandsOn(*node))
      break;
  }
  if (norms.empty())
    throw Error(fmt::format("layer '{}': the batch norm that was folded into it is not found in the file", named.name));
  return norms;
}

std::vector<onnx::NodeInput> OnnxPlaces::InputsOf(const Parameter& parameter) const {
  const LoweredGraph& lowered = network_.lowered();
  std::vector<onnx::NodeInput> places;
  for (std::size_t i = 0; i < lowered.parameters.size(); ++i) {
    if (lowered.parameters[i].name != parameter.name) continue;
    for (const torch::jit::Use& use : lowered.ParameterInput(i)->uses()) {
      const onnx::Node& own = NodeOf(use.user, fmt::format("parameter '{}'", parameter.name));
      std::vector<std::size_t> found;
      for (std::size_t index = 0; index < own.inputs.size(); ++index) {
        const auto tensor = tensors_.find(own.inputs[index]);
        if (tensor != tensors_.end() && tensor->second->shape == parameter.value.sizes().vec()) found.push_back(index);
      }
      if (found.size() > 1 && parameter.name.ends_with("weight")) found = {1};
      if (found.size() > 1 && parameter.name.ends_with("bias")) found = {2};
      if (found.size() != 1)
        throw Error(fmt::format("parameter '{}': where node '{}' ({}) reads it cannot be told", parameter.name,
                                own.name, own.op));
      places.push_back({own.name, found[0]});
    }
  }
  return places;
}

}  // namespace bitplan::exporters
