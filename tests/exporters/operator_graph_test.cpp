// The public view says all that a quantized network computes: put together from it alone, the operators give its
// output.
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/ir/ir.h>
#include <torch/csrc/jit/runtime/graph_executor.h>

#include <set>

#include "bitplan/export.h"
#include "network/model_case.h"
#include "quantize/networks.h"

namespace bitplan::test {
namespace {

using torch::jit::Value;

Value* Quantized(torch::jit::Graph& graph, Value* value, const QuantizedInput& input) {
  return graph.insert(c10::aten::fake_quantize_per_tensor_affine, {value, input.range.scale, input.range.zero_point,
                                                                   input.format.QuantMin(), input.format.QuantMax()});
}

at::Tensor RunByView(const QuantizedNetwork& network, const std::vector<at::Tensor>& inputs) {
  OperatorGraph view = GraphOf(network.network());
  torch::jit::Graph& graph = *view.graph;
  torch::jit::Stack stack(inputs.begin(), inputs.end());
  for (const at::Tensor& parameter : network.parameters()) stack.emplace_back(parameter);
  for (const std::size_t written : view.written_inputs) stack[written] = stack[written].toTensor().clone();
  for (const auto& [site, node] : view.sites) {
    const torch::jit::WithInsertPoint before(node);
    Value* value = node->inputs()[0];
    if (const auto input = network.inputs().find(site); input != network.inputs().end())
      value = Quantized(graph, value, input->second);
    if (const auto shift = network.shifts().find(site); shift != network.shifts().end()) {
      Value* const added = graph.addInput();
      stack.insert(stack.end(), shift->second);
      value = graph.insert(c10::aten::add, {value, added});
    }
    node->output()->replaceAllUsesWith(value);
    node->destroy();
  }
  graph.eraseInput(inputs.size() + network.parameters().size());
  torch::jit::GraphExecutor(view.graph, "forward").run(stack);
  return stack.back().toTensor();
}

TEST(OperatorGraph, GivesTheNetworksOutputWithWhatTheViewSays) {
  std::size_t inputs_seen = 0, shifts_seen = 0;
  for (const std::string name : {"small_resnet", "matmul_right", "attention", "in_place"}) {
    SCOPED_TRACE(name);
    const ModelCase model(name);
    const Network network = model.Load("scripted");
    std::vector<at::Tensor> inputs = model.Inputs();
    for (at::Tensor& input : inputs) input = input.to(at::kFloat);
    Plan plan = UniformPlan(network, 4, 8);
    plan.corrections.output = OutputCorrection::Channel;
    const auto quantized = QuantizedNetwork::Create(network, plan, Dataset::FromTensors(inputs, {}));
    std::set<int> sites;
    for (const auto& [site, node] : GraphOf(network).sites) sites.insert(site);
    EXPECT_EQ(sites.size(), network.sites().size());
    EXPECT_FALSE(at::equal(quantized.Forward(inputs), network.Forward(inputs)));
    EXPECT_TRUE(at::equal(RunByView(quantized, inputs), quantized.Forward(inputs)));
    inputs_seen += quantized.inputs().size();
    shifts_seen += quantized.shifts().size();
  }
  EXPECT_GT(inputs_seen, 0u);
  EXPECT_GT(shifts_seen, 0u);
}

TEST(OperatorGraph, IsACopy) {
  const Network network = ModelCase("small_resnet").Load("scripted");
  const std::size_t inputs = GraphOf(network).graph->inputs().size();
  GraphOf(network).graph->addInput();
  EXPECT_EQ(GraphOf(network).graph->inputs().size(), inputs);
}

}  // namespace
}  // namespace bitplan::test
