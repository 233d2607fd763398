#include "network/layer_product.h"

#include <ATen/ATen.h>
#include <torch/csrc/jit/ir/constants.h>

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "network/impl.h"

namespace bitplan {

namespace {

using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;

Node* FindTap(const LoweredGraph& lowered, int tap) {
  for (Node* node : AllNodes(lowered.graph->block()))
    if (node->kind() == TapSymbol() && torch::jit::toIValue(node->inputs()[2])->toInt() == tap) return node;
  return nullptr;
}

/// Copies what leads from some values to another one.
class Slice {
 public:
  explicit Slice(const LoweredGraph& lowered) : lowered_(lowered) {}

  void AddInput(const Value* value) { copies_[value] = graph->addInput(); }

  /// The copy of `value`, or null when it depends on anything but the inputs, parameters and constants.
  Value* Copy(Value* value) {
    if (const auto found = copies_.find(value); found != copies_.end()) return found->second;
    if (const auto parameter = lowered_.ParameterOf(value)) {
      parameters.push_back(*parameter);
      return copies_[value] = graph->addInput();
    }
    Node* const node = value->node();
    if (node->kind() == c10::prim::Param || node->kind() == TapSymbol() || !node->blocks().empty()) return nullptr;
    for (Value* operand : node->inputs())
      if (!Copy(operand)) return nullptr;
    Node* const copy = graph->createClone(node, [this](Value* operand) { return copies_.at(operand); });
    graph->insertNode(copy);
    for (std::size_t i = 0; i < node->outputs().size(); ++i) copies_[node->outputs()[i]] = copy->outputs()[i];
    return copies_.at(value);
  }

  std::shared_ptr<Graph> graph = std::make_shared<Graph>();
  std::vector<std::size_t> parameters;  // graph inputs after those that were added

 private:
  const LoweredGraph& lowered_;
  std::map<const Value*, Value*> copies_;
};

/// Operands of a convolution by name, as the operator's schema has them; nothing where one is only known in a run.
std::optional<Sliding> SlidingOf(const Node* node, std::size_t spatial) {
  const std::string op = OperatorName(node);
  if (op != "conv1d" && op != "conv2d" && op != "conv3d" && op != "_convolution") return std::nullopt;
  const auto operand = [&](const std::string& name) { return torch::jit::toIValue(node->namedInput(name)); };
  if (op == "_convolution") {
    const auto transposed = operand("transposed");
    if (!transposed || transposed->toBool()) return std::nullopt;
  }
  const auto groups = operand("groups");
  if (!groups) return std::nullopt;
  Sliding sliding;
  sliding.groups = groups->toInt();
  for (const auto& [name, values] : {std::pair("stride", &sliding.stride), std::pair("padding", &sliding.padding),
                                     std::pair("dilation", &sliding.dilation)}) {
    const auto given = operand(name);
    if (!given || !given->isIntList()) return std::nullopt;  // 'same' may pad unevenly
    *values = given->toIntVector();
    if (values->size() == 1) values->resize(spatial, values->front());
    if (values->size() != spatial) return std::nullopt;
  }
  return sliding;
}

}  // namespace

std::optional<LayerProduct> LayerProduct::Of(const Network& network, int layer, std::size_t use) {
  const auto index = static_cast<std::size_t>(layer);
  const LayerUse& sites = network.layers()[index].uses[use];
  if (sites.input_site < 0 || sites.output_site < 0) return std::nullopt;
  const UseTaps& taps = network.impl_->map.use_taps[index][use];
  Node* const input = FindTap(network.lowered(), taps.input);
  Node* const output = FindTap(network.lowered(), taps.output);
  if (!input || !output) return std::nullopt;

  Slice slice(network.lowered());
  slice.AddInput(input->output());
  Value* const result = slice.Copy(output->inputs()[0]);
  if (!result) return std::nullopt;
  slice.graph->registerOutput(result);

  std::vector<at::Tensor> parameters;
  std::optional<std::size_t> weight;
  for (const std::size_t parameter : slice.parameters) {
    const bool is_weight = static_cast<int>(parameter) == network.layers()[index].weight;
    if (is_weight) weight = parameters.size();
    parameters.push_back(is_weight ? at::Tensor() : at::zeros_like(network.parameters()[parameter].value));
  }
  if (!weight) return std::nullopt;
  LayerProduct product(torch::jit::Code(slice.graph, "layer"), std::move(parameters), *weight);
  const Node* const node = output->inputs()[0]->node();
  const Value* const weight_input =
      network.lowered().ParameterInput(static_cast<std::size_t>(network.layers()[index].weight));
  if (node->inputs().size() > 1 && node->inputs()[0] == input->output() && node->inputs()[1] == weight_input) {
    product.linear_ = OperatorName(node) == "linear";
    if (!product.linear_)
      product.sliding_ = SlidingOf(node, static_cast<std::size_t>(network.Weight(network.layers()[index]).dim()) - 2);
  }
  return product;
}

at::Tensor LayerProduct::operator()(const at::Tensor& x, const at::Tensor& weight) const {
  std::vector<c10::IValue> stack{x};
  for (std::size_t i = 0; i < parameters_.size(); ++i)
    stack.emplace_back(i == weight_ ? weight : parameters_[i].to(x.scalar_type()));
  torch::jit::InterpreterState(code_).run(stack);
  return stack.back().toTensor();
}

at::Tensor LayerProduct::WithEach(const at::Tensor& x, const at::Tensor& weights) const {
  const std::int64_t count = weights.size(0), channels = weights.size(1);
  if (linear_) return at::linear(x, weights.flatten(0, 1)).unflatten(-1, {count, channels}).movedim(-2, 0);
  if (sliding_ && sliding_->groups == 1 && x.dim() == weights.dim() - 1) {
    const std::vector<std::int64_t> no_output_padding(sliding_->stride.size(), 0);
    return at::convolution(x, weights.flatten(0, 1), c10::nullopt, sliding_->stride, sliding_->padding,
                           sliding_->dilation,
                           /*transposed=*/false, no_output_padding, /*groups=*/1)
        .unflatten(1, {count, channels})
        .movedim(1, 0);
  }
  std::vector<at::Tensor> products;
  for (const at::Tensor& weight : weights.unbind()) products.push_back((*this)(x, weight));
  return at::stack(products);
}

}  // namespace bitplan
