#include "network/layer_product.h"

#include <ATen/ATen.h>
#include <torch/csrc/jit/ir/constants.h>

#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>

#include "network/impl.h"
#include "network/operator_arguments.h"
#include "network/operator_traits.h"
#include "network/weight_operand.h"
#include "network/weight_use.h"

namespace bitplan::network {

namespace {

using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;

Node* FindTap(const LoweredGraph& lowered, int tap) {
  for (Node* node : AllNodes(lowered.graph->block()))
    if (node->kind() == TapSymbol() && TapNumber(node) == tap) return node;
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

/// Numbers of a convolution's operand, one for each axis; nothing where they are only known in a run.
std::optional<std::vector<std::int64_t>> NumbersOf(const Node* node, const char* name, std::size_t spatial) {
  auto given = IntsArgument(node, name);
  if (!given) return std::nullopt;
  std::vector<std::int64_t> numbers = std::move(*given);
  if (numbers.size() == 1) numbers.resize(spatial, numbers.front());
  if (numbers.size() != spatial) return std::nullopt;
  return numbers;
}

/// Padding by its name: "valid" is none, "same" what leaves the size, an odd zero at the end.
std::optional<std::pair<std::vector<std::int64_t>, std::vector<std::int64_t>>> NamedPadding(
    const Node* node, at::IntArrayRef kernel, const std::vector<std::int64_t>& dilation) {
  const auto given = ConstantArgument(node, "padding");
  if (!given || !given->isString()) return std::nullopt;
  std::vector<std::int64_t> before(kernel.size(), 0), after(kernel.size(), 0);
  if (given->toStringRef() != "valid")
    for (std::size_t axis = 0; axis < kernel.size(); ++axis) {
      const std::int64_t total = dilation[axis] * (kernel[axis] - 1);
      before[axis] = total / 2;
      after[axis] = total - total / 2;
    }
  return std::pair(before, after);
}

/// The zeros that make a convolution's windows those of the transposed one.
void Transpose(Windows& windows, at::IntArrayRef kernel, const std::vector<std::int64_t>& output_padding) {
  windows.transposed = true;
  windows.spread = windows.stride;
  for (std::size_t axis = 0; axis < kernel.size(); ++axis) {
    windows.stride[axis] = 1;
    windows.before[axis] = windows.dilation[axis] * (kernel[axis] - 1) - windows.before[axis];
    windows.after[axis] = windows.before[axis] + output_padding[axis];
  }
}

/// Of a convolution whose operands are constants.
std::optional<Windows> WindowsOf(const Node* node, at::IntArrayRef kernel) {
  const std::string op = OperatorName(node);
  if (!Has(op, OperatorTrait::Convolution)) return std::nullopt;
  const auto groups = IntArgument(node, "groups");
  const auto stride = NumbersOf(node, "stride", kernel.size()), dilation = NumbersOf(node, "dilation", kernel.size());
  if (!groups || !stride || !dilation) return std::nullopt;
  Windows windows{*stride, *dilation, {}, {}, std::vector<std::int64_t>(kernel.size(), 1), *groups, false};
  if (const auto padding = NumbersOf(node, "padding", kernel.size())) {
    windows.before = windows.after = *padding;
  } else if (const auto named = NamedPadding(node, kernel, *dilation)) {
    std::tie(windows.before, windows.after) = *named;
  } else {
    return std::nullopt;
  }
  bool transposed = op.starts_with("conv_transpose");
  if (op == "_convolution" || op == "convolution") {
    const auto given = BoolArgument(node, "transposed");
    if (!given) return std::nullopt;
    transposed = *given;
  }
  if (!transposed) return windows;
  const auto output_padding = NumbersOf(node, "output_padding", kernel.size());
  if (!output_padding) return std::nullopt;
  Transpose(windows, kernel, *output_padding);
  return windows;
}

/// Of a convolution that is not transposed and pads alike on both sides.
std::optional<Sliding> SlidingOf(const Node* node, const Windows& windows) {
  if (windows.transposed || !IntsArgument(node, "padding")) return std::nullopt;
  return Sliding{windows.stride, windows.before, windows.dilation, windows.groups};
}

bool InOrder(const std::vector<std::int64_t>& axes) {
  for (std::size_t i = 0; i < axes.size(); ++i)
    if (axes[i] != static_cast<std::int64_t>(i)) return false;
  return true;
}

}  // namespace

std::optional<LayerProduct> LayerProduct::Of(const Network& network, int layer, std::size_t use) {
  const auto index = static_cast<std::size_t>(layer);
  const LayerUse& sites = network.layers()[index].uses[use];
  if (sites.input_site < 0 || sites.output_site < 0) return std::nullopt;
  const UseTaps& taps = network.impl().map.use_taps[index][use];
  Node* const input = FindTap(network.lowered(), taps.input);
  Node* const output = FindTap(network.lowered(), taps.output);
  if (!input || !output) return std::nullopt;

  Slice slice(network.lowered());
  slice.AddInput(input->output());
  Value* const result = slice.Copy(Tapped(output));
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
  product.Describe(network, index, input->output(), Tapped(output)->node());
  return product;
}

void LayerProduct::Describe(const Network& network, std::size_t layer, const Value* input, Node* node) {
  const auto parameter = static_cast<std::size_t>(network.layers()[layer].weight);
  const auto reading = ReadingOf(network.lowered(), node, parameter);
  if (!reading || !IsWholeWeight(network.lowered(), reading->first, reading->second)) return;
  const auto& [use, operand] = *reading;
  if (use.input_operand < 0 || node->inputs()[static_cast<std::size_t>(use.input_operand)] != input) return;
  const at::IntArrayRef shape = network.parameters()[parameter].value.sizes();
  const bool as_it_is = Argument(node, "weight") == network.lowered().ParameterInput(parameter);
  if (use.op.starts_with("conv")) {
    if (InOrder(operand.axes)) windows_ = WindowsOf(node, shape.slice(2));
    if (windows_ && as_it_is) sliding_ = SlidingOf(node, *windows_);
    return;
  }
  const auto rank = static_cast<int>(operand.axes.size());
  const auto contracted = static_cast<std::size_t>((use.contracted_axis + rank) % rank);
  contraction_ = {use.output_dim == -2 ? -2 : -1, static_cast<std::size_t>(operand.axes[contracted])};
  linear_ = as_it_is && OperatorName(node) == "linear";
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

}  // namespace bitplan::network
