#include "dynamic_lstm.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "call_operator.h"
#include "fast_product.h"
#include "network/operator_arguments.h"

namespace bitplan::fast {

namespace {

using torch::jit::Node;
using torch::jit::Value;
using torch::jit::WithInsertPoint;

/// What aten::lstm takes beside its tensors.
struct LstmShape {
  bool has_biases = true, bidirectional = false, batch_first = false;
  std::int64_t layers = 1;
};

/// A weight's integers as LibTorch's kernels take them, one scale a row.
c10::IValue PackedRows(const QuantizedTensor& weight, const at::Tensor& bias) {
  const at::Tensor scale = weight.scale.expand({weight.q.size(0)}).to(at::kDouble).contiguous();
  const at::Tensor rows = at::_make_per_channel_quantized_tensor(weight.q.to(at::kChar).contiguous(), scale,
                                                                 at::zeros({scale.numel()}, at::kLong), 0);
  return CallOperator("quantized::linear_prepack", "", {rows, bias})[0];
}

bool IsPackable(const QuantizedTensor& weight) {
  return weight.format.IsInteger() && weight.format.bits <= 8 && weight.format.scheme == Scheme::Symmetric &&
         weight.scale.dim() == 1;
}

class LstmReplacer {
 public:
  LstmReplacer(const Network& network, const QuantizedState& state, network::StepProgram& program)
      : network_(network), state_(state), program_(program) {
    for (std::size_t i = 0; i < network.layers().size(); ++i)
      layer_of_[static_cast<std::size_t>(network.layers()[i].weight)] = static_cast<int>(i);
  }

  /// The layers that a kernel took over; none where it cannot.
  std::vector<int> Replace(Node* node) {
    const auto shape = ShapeOf(node);
    const auto parameters = shape ? ParametersOf(network::Argument(node, "params")->node()) : std::nullopt;
    Node* const states = network::Argument(node, "hx")->node();
    if (!parameters || states->kind() != c10::prim::ListConstruct || states->inputs().size() != 2) return {};
    const std::size_t per_cell = shape->has_biases ? 4 : 2;
    const std::size_t cells_in_all = static_cast<std::size_t>(shape->layers) * (shape->bidirectional ? 2 : 1);
    if (parameters->size() != per_cell * cells_in_all) return {};  // with projections
    std::vector<int> layers;
    std::vector<c10::IValue> cells;
    for (std::size_t i = 0; i + per_cell <= parameters->size(); i += per_cell) {
      const auto input = WeightAt((*parameters)[i], layers), hidden = WeightAt((*parameters)[i + 1], layers);
      if (!input || !hidden) return {};
      cells.push_back(Cell(*input, *hidden, *shape, *parameters, i));
    }
    c10::impl::GenericList list(cells.at(0).type());
    for (const c10::IValue& cell : cells) list.push_back(cell);
    Put(node, states, *shape, list);
    return layers;
  }

 private:
  static std::optional<LstmShape> ShapeOf(const Node* node) {
    const auto flag = [&](const char* name) { return network::BoolArgument(node, name); };
    const auto has_biases = flag("has_biases"), bidirectional = flag("bidirectional");
    const auto batch_first = flag("batch_first");
    const auto layers = network::IntArgument(node, "num_layers");
    if (!has_biases || !layers || !bidirectional || !batch_first) return std::nullopt;
    return LstmShape{*has_biases, *bidirectional, *batch_first, *layers};
  }

  /// Numbers of the network's parameters in a list.
  std::optional<std::vector<std::size_t>> ParametersOf(const Node* list) const {
    if (list->kind() != c10::prim::ListConstruct) return std::nullopt;
    const std::size_t arguments = network_.lowered().arguments.size();
    std::vector<std::size_t> parameters;
    for (const Value* value : list->inputs()) {
      if (value->node() != program_.graph()->param_node() || value->offset() < arguments) return std::nullopt;
      parameters.push_back(value->offset() - arguments);
    }
    return parameters;
  }

  std::optional<QuantizedTensor> WeightAt(std::size_t parameter, std::vector<int>& layers) const {
    const auto layer = layer_of_.find(parameter);
    if (layer == layer_of_.end()) return std::nullopt;
    const QuantizedTensor& weight = state_.weights[static_cast<std::size_t>(layer->second)];
    if (!IsPackable(weight)) return std::nullopt;
    layers.push_back(layer->second);
    return weight;
  }

  c10::IValue Cell(const QuantizedTensor& input, const QuantizedTensor& hidden, const LstmShape& shape,
                   const std::vector<std::size_t>& parameters, std::size_t first) const {
    const at::Tensor none = at::zeros({input.q.size(0)});
    const at::Tensor of_input = shape.has_biases ? state_.parameters[parameters[first + 2]] : none;
    const at::Tensor of_hidden = shape.has_biases ? state_.parameters[parameters[first + 3]] : none;
    return CallOperator(
        "quantized::make_quantized_cell_params_dynamic", "",
        {PackedRows(input, of_input), PackedRows(hidden, of_hidden), of_input, of_hidden, /*reduce_range=*/false})[0];
  }

  void Put(Node* node, Node* states, const LstmShape& shape, const c10::impl::GenericList& cells) {
    const WithInsertPoint before(node);
    const auto step = [shape, cells](const std::vector<at::Tensor>& operands,
                                     network::StepNotes& /*notes*/) -> std::vector<at::Tensor> {
      const std::vector<c10::IValue> results =
          CallOperator("aten::quantized_lstm", "input",
                       {operands[0], std::vector<at::Tensor>{operands[1], operands[2]}, cells, /*has_biases=*/true,
                        shape.layers, /*dropout=*/0.0,
                        /*train=*/false, shape.bidirectional, shape.batch_first, at::kQInt8, /*use_dynamic=*/true});
      return {results[0].toTensor(), results[1].toTensor(), results[2].toTensor()};
    };
    const std::vector<Value*> made =
        program_.InsertSeveral({network::Argument(node, "input"), states->input(0), states->input(1)}, step, 3);
    for (std::size_t i = 0; i < made.size(); ++i) node->outputs()[i]->replaceAllUsesWith(made[i]);
  }

  const Network& network_;
  const QuantizedState& state_;
  network::StepProgram& program_;
  std::map<std::size_t, int> layer_of_;  // by its weight's parameter
};

}  // namespace

void PutDynamicLstms(const Network& network, const QuantizedState& state, network::StepProgram& program,
                     std::map<int, std::size_t>& uses) {
  if (!HasByteKernels()) return;
  LstmReplacer replacer(network, state, program);
  for (Node* node : network::AllNodes(program.graph()->block()))
    if (node->kind() == c10::aten::lstm && network::Argument(node, "batch_first"))
      for (const int layer : replacer.Replace(node)) ++uses[layer];
}

}  // namespace bitplan::fast
