// If and Loop.
#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "bitplan/error.h"
#include "readers/onnx/nodes.h"

namespace bitplan::network {

using torch::jit::Node;
using torch::jit::Value;
using torch::jit::WithInsertPoint;

namespace {

constexpr std::int64_t kMostUnrolled = 64;

const onnx::Graph& GraphOf(const OnnxNode& node, const std::string& attribute) {
  const auto found = node.node().attributes.find(attribute);
  if (found == node.node().attributes.end()) node.Refuse(fmt::format("its graph '{}' is missing", attribute));
  return *std::get<std::shared_ptr<const onnx::Graph>>(found->second);
}

}  // namespace

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
  const onnx::Graph& yes = GraphOf(node, "then_branch");
  const onnx::Graph& no = GraphOf(node, "else_branch");
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

std::vector<OnnxValue> OnnxNodes::Unrolled(const OnnxNode& node, const OnnxScope& scope, std::int64_t trips) {
  const onnx::Graph& body = GraphOf(node, "body");
  const std::size_t carried = node.inputs() < 2 ? 0 : node.inputs() - 2;
  std::vector<OnnxValue> values;
  for (std::size_t i = 0; i < carried; ++i) values.push_back(node.input(i + 2));
  std::vector<std::vector<Value*>> scans(body.outputs.size() - 1 - carried);
  for (std::int64_t trip = 0; trip < trips; ++trip) {
    OnnxScope own = scope;
    own.insert_or_assign(body.inputs.at(0).name, OnnxValue(builder_.Constant(at::scalar_tensor(trip, at::kLong))));
    own.insert_or_assign(body.inputs.at(1).name, OnnxValue(builder_.Constant(at::scalar_tensor(true, at::kBool))));
    for (std::size_t i = 0; i < carried; ++i) own.insert_or_assign(body.inputs.at(i + 2).name, values[i]);
    const std::vector<OnnxValue> results = Body(body, own);
    for (std::size_t i = 0; i < carried; ++i) values[i] = results[i + 1];
    for (std::size_t i = 0; i < scans.size(); ++i) scans[i].push_back(TensorOf(results[i + 1 + carried], builder_));
  }
  for (const auto& scan : scans) values.emplace_back(builder_.Call("aten::stack", {builder_.Tensors(scan), 0}));
  return values;
}

/// Few iterations, whose number is known, stand one after the other. The bodies of such loops go on until the end.
std::vector<OnnxValue> OnnxNodes::Loop(const OnnxNode& node, const OnnxScope& scope) {
  const onnx::Graph& body = GraphOf(node, "body");
  const std::size_t carried = node.inputs() < 2 ? 0 : node.inputs() - 2;
  if (body.outputs.size() < 1 + carried || body.inputs.size() != 2 + carried)
    node.Refuse("its body does not have the values that it carries");
  const auto fixed = [&](std::size_t i) { return node.Has(i) && builder_.ConstantOf(node.Input(i)); };
  const std::string& goes_on = body.outputs[0].name;
  const bool unconditional =
      (!node.Has(1) || (fixed(1) && node.ConstantNumber(1) != 0)) &&
      (goes_on == body.inputs[1].name ||
       std::any_of(body.nodes.begin(), body.nodes.end(), [&](const onnx::Node& inner) {
         return inner.op == "Identity" && inner.outputs.at(0) == goes_on && inner.inputs.at(0) == body.inputs[1].name;
       }));
  if (unconditional && fixed(0) && node.ConstantNumber(0) <= kMostUnrolled)
    return Unrolled(node, scope, static_cast<std::int64_t>(node.ConstantNumber(0)));
  if (body.outputs.size() != 1 + carried)
    node.Refuse("a loop that collects a tensor an iteration, and whose iterations are not known, is not read");
  torch::jit::Graph& graph = builder_.graph();
  Value* const most =
      node.Has(0) ? node.Integers(0).front() : builder_.Constant(std::numeric_limits<std::int64_t>::max());
  Value* const condition = node.Has(1) ? builder_.Call("aten::Bool", {node.Input(1)}) : builder_.Constant(true);
  std::vector<Value*> inputs{most, condition};
  for (std::size_t i = 0; i < carried; ++i) inputs.push_back(node.Input(i + 2));
  Node* const loop = graph.insertNode(graph.create(c10::prim::Loop, inputs, carried));
  torch::jit::Block* const block = loop->addBlock();
  const WithInsertPoint inside(block);
  OnnxScope own = scope;
  Value* const trip = block->addInput("trip")->setType(c10::IntType::get());
  own.insert_or_assign(body.inputs[0].name, OnnxValue::OfIntegers({trip}, /*is_scalar=*/true));
  own.insert_or_assign(body.inputs[1].name, OnnxValue(builder_.Constant(at::scalar_tensor(true, at::kBool))));
  for (std::size_t i = 0; i < carried; ++i) {
    Value* const value = block->addInput()->setType(c10::TensorType::get());
    if (const auto examples = builder_.ExamplesOf(inputs[i + 2])) builder_.SetExamples(value, *examples);
    own.insert_or_assign(body.inputs[i + 2].name, OnnxValue(value));
  }
  const std::vector<Value*> results = BodyTensors(body, own);
  block->registerOutput(builder_.Call("aten::Bool", {results[0]}));
  std::vector<OnnxValue> all;
  for (std::size_t i = 0; i < carried; ++i) {
    block->registerOutput(results[i + 1]);
    Value* const output = loop->outputs()[i]->setType(c10::TensorType::get());
    const auto before = builder_.ExamplesOf(inputs[i + 2]), after = builder_.ExamplesOf(results[i + 1]);
    if (before && after && (*before)[0].toTensor().sizes() != (*after)[0].toTensor().sizes())
      node.Refuse("a value changes its sizes from iteration to iteration");
    if (before) builder_.SetExamples(output, *before);
    all.emplace_back(output);
  }
  return all;
}

}  // namespace bitplan::network
