#include "integer_program.h"

#include <torch/csrc/jit/ir/alias_analysis.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "integer_product.h"
#include "network/probe_operator.h"
#include "network/weight_operand.h"
#include "operators.h"
#include "value_grids.h"

namespace bitplan::integer {

namespace {

using torch::jit::Block;
using torch::jit::Node;
using torch::jit::Value;

bool IsTensor(const Value* value) { return value->type()->isSubtypeOf(*c10::TensorType::get()); }

/// Whether an operator writes to what `value` holds: such a value is one tensor for all its readers, and stays in
/// float.
class Writers {
 public:
  explicit Writers(const std::shared_ptr<torch::jit::Graph>& graph) : aliases_(graph) {}
  bool WriteTo(const Value* value) const { return IsTensor(value) && aliases_.hasWriters(value); }
  bool WriteToAny(const Node* node) const {
    const auto written = [&](const Value* value) { return WriteTo(value); };
    return std::any_of(node->inputs().begin(), node->inputs().end(), written) ||
           std::any_of(node->outputs().begin(), node->outputs().end(), written);
  }

 private:
  torch::jit::AliasDb aliases_;
};

/// Walks a network's graph once and makes integers of what can be.
class Walk {
 public:
  Walk(const Network& network, const QuantizedState& state, const IntegerOptions& options)
      : network_(network),
        state_(state),
        options_(options),
        made_{network::StepProgram(network), {}, {}},
        grids_(made_.program, options.multiplier_bits) {}

  IntegerProgram Make() {
    const auto& graph = made_.program.graph();
    Layers();
    torch::jit::EliminateDeadCode(graph);
    const Writers writers(graph);
    for (Value* product : products_)
      if (writers.WriteTo(product)) ReadInFloat(product);
    Values(graph->block(), writers);
    made_.program.Compile();
    return std::move(made_);
  }

 private:
  /// Puts products of integers in the place of layers. The codes that they read come from taps, which are seen to
  /// later.
  void Layers() {
    made_.integer_layers.assign(network_.layers().size(), false);
    std::vector<std::size_t> integer_uses(network_.layers().size(), 0);
    for (const network::LayerOperator& use : made_.program.layers()) {
      auto product = IntegerProduct::Of(network_, state_, use, options_);
      const auto layer = static_cast<std::size_t>(use.layer);
      if (const auto* const reason = std::get_if<std::string>(&product)) {
        reasons_[layer] = *reason;
        continue;
      }
      ++integer_uses[layer];
      Put(use, std::get<IntegerProduct>(std::move(product)));
    }
    for (std::size_t i = 0; i < integer_uses.size(); ++i)
      made_.integer_layers[i] = integer_uses[i] == network_.layers()[i].uses.size();
  }

  void Put(const network::LayerOperator& use, IntegerProduct product) {
    const IntegerGrid grid = product.grid();
    Node* const tap = use.result->node();
    const torch::jit::WithInsertPoint before(tap);
    const auto step = [product = std::make_shared<const IntegerProduct>(std::move(product)),
                       layer = static_cast<std::size_t>(use.layer)](const auto& operands, network::StepNotes& notes) {
      return (*product)(operands[0], static_cast<IntegerNotes&>(notes).overflows[layer]);
    };
    Value* const sums = grids_.Insert({use.input}, step, grid);
    use.result->replaceAllUsesWith(sums);
    products_.push_back(sums);
  }

  /// A value that is written to is one tensor for all that read it.
  void ReadInFloat(Value* value) {
    Value* const numbers = grids_.Float(value);
    value->replaceAllUsesAfterNodeWith(numbers->node(), numbers);
  }

  void Values(Block* block, const Writers& writers) {
    const std::vector<Node*> nodes(block->nodes().begin(), block->nodes().end());
    for (Node* node : nodes) {
      if (!network::StepProgram::IsStep(node)) Visit(node, writers);
      for (Block* inner : node->blocks()) Values(inner, writers);
    }
    FloatOperands(block->return_node());
  }

  void Visit(Node* node, const Writers& writers) {
    if (const auto site = made_.program.SiteOf(node)) return Tap(node, *site);
    if (node->kind() == c10::prim::Constant || AsksForShape(node) || IsPartOfConcatenation(node)) return;
    if (!writers.WriteToAny(node) && MakeInteger(node, grids_)) return;
    FloatOperands(node);
    NoteFloat(node);
  }

  void Tap(Node* tap, int site) {
    Value* const operand = network::Tapped(tap);
    const auto found = state_.inputs.find(site);
    if (found == state_.inputs.end()) {
      if (!state_.shifts.contains(site) && grids_.Has(operand)) tap->output()->replaceAllUsesWith(operand);
      return FloatOperands(tap);
    }
    const QuantizedInput& input = found->second;
    if (!input.format.IsInteger() || input.format.calibrator == Calibrator::Dynamic || input.range.offset != 0 ||
        input.outliers.defined())
      return FloatOperands(tap);
    const IntegerGrid to = GridOf(input);
    const auto step = [codes_of = Rounding(operand, to), site](const auto& operands, network::StepNotes& notes) {
      const at::Tensor codes = codes_of(operands[0]);
      auto& integer_notes = static_cast<IntegerNotes&>(notes);
      if (integer_notes.keep_codes) integer_notes.codes.emplace_back(site, codes);
      return codes;
    };
    const torch::jit::WithInsertPoint before(tap);
    tap->output()->replaceAllUsesWith(grids_.Insert({operand}, step, to));
  }

  /// From the grid that the value lies on, if any, to another.
  std::function<at::Tensor(const at::Tensor&)> Rounding(Value* value, const IntegerGrid& to) {
    if (!grids_.Has(value)) return [to](const at::Tensor& x) { return Quantized(x, to); };
    return [from = grids_.Of(value), to, bits = options_.multiplier_bits](const at::Tensor& codes) {
      return Requantized(codes, from, to, bits);
    };
  }

  void FloatOperands(Node* node) {
    for (std::size_t i = 0; i < node->inputs().size(); ++i) {
      Value* const operand = node->inputs()[i];
      if (operand->node()->kind() == c10::prim::ListConstruct) FloatOperands(operand->node());
      if (grids_.Has(operand)) node->replaceInput(i, grids_.Float(operand));
    }
  }

  bool IsPartOfConcatenation(const Node* node) const {
    if (node->kind() != c10::prim::ListConstruct) return false;
    const auto& uses = node->output()->uses();
    const auto integer = [&](const Value* value) { return grids_.Has(value); };
    return std::all_of(node->inputs().begin(), node->inputs().end(), integer) &&
           std::all_of(uses.begin(), uses.end(), [](const torch::jit::Use& use) {
             return network::StepProgram::IsStep(use.user) || network::OperatorName(use.user) == "cat";
           });
  }

  void NoteFloat(const Node* node) {
    const auto inputs = node->inputs();
    if (!node->kind().is_aten() || Rearranges(node) || network::IsView(node) || node->outputs().empty() ||
        !IsTensor(node->output(0)))
      return;
    const auto& layers = network_.layers();
    for (const Value* input : inputs)
      if (const auto layer = LayerOf(input)) {
        const auto reason = reasons_.find(*layer);
        made_.in_float.push_back({network::OperatorName(node), layers[*layer].name,
                                  reason != reasons_.end() ? reason->second : "it has no integer form"});
        return;
      }
    const bool computes = std::any_of(inputs.begin(), inputs.end(), [](const Value* input) { return IsTensor(input); });
    if (computes)
      made_.in_float.push_back(
          {network::OperatorName(node), node->output(0)->debugName(), "it has no integer form for what it reads"});
  }

  /// The layer whose weight `value` is, through views and lists.
  std::optional<std::size_t> LayerOf(const Value* value) const {
    while (value->node()->kind() != c10::prim::Param) {
      if (!network::IsView(value->node()) || value->node()->inputs().empty()) return std::nullopt;
      value = value->node()->inputs()[0];  // of a view, or of a list that it is taken from
    }
    const std::size_t arguments = network_.lowered().arguments.size();
    if (value->node() != made_.program.graph()->param_node() || value->offset() < arguments) return std::nullopt;
    const auto parameter = static_cast<int>(value->offset() - arguments);
    for (std::size_t i = 0; i < network_.layers().size(); ++i)
      if (network_.layers()[i].weight == parameter) return i;
    return std::nullopt;
  }

  const Network& network_;
  const QuantizedState& state_;
  const IntegerOptions& options_;
  IntegerProgram made_;
  ValueGrids grids_;
  std::vector<Value*> products_;
  std::map<std::size_t, std::string> reasons_;  // by layer, why it stays in float
};

}  // namespace

IntegerProgram MakeIntegerProgram(const Network& network, const QuantizedState& state, const IntegerOptions& options) {
  return Walk(network, state, options).Make();
}

}  // namespace bitplan::integer
