#include "operators.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "averages.h"
#include "network/operator_arguments.h"
#include "network/operator_traits.h"

namespace bitplan::integer {

namespace {

using torch::jit::Node;
using torch::jit::Value;

using network::ConstantArgument;
using network::Has;
using network::NumberArgument;
using network::OperatorTrait;

bool IsFalse(const Node* node, const char* argument) { return network::BoolArgument(node, argument) == false; }

void Replace(Node* node, Value* by) { node->output()->replaceAllUsesWith(by); }

bool KeepsChannels(const IntegerGrid& grid, int pooled_axes) {
  return grid.HasOneScale() || grid.channel_axis == -1 - pooled_axes;
}

/// Bounds of an activation that clamps; nothing for other operators, or where a bound is computed.
std::optional<std::pair<double, double>> BoundsOf(const Node* node) {
  constexpr double kNone = std::numeric_limits<double>::infinity();
  const std::string op = network::OperatorName(node);
  if (op == "relu") return std::pair(0.0, kNone);
  if (op == "relu6") return std::pair(0.0, 6.0);
  const bool both = op == "hardtanh" || op == "clamp";
  if (!both && op != "clamp_min" && op != "clamp_max") return std::nullopt;
  const auto bound = [&](const char* name, double otherwise) -> std::optional<double> {
    if (!network::Argument(node, name)) return otherwise;
    const auto constant = ConstantArgument(node, name);
    if (constant && constant->isNone()) return otherwise;
    return NumberArgument(node, name);
  };
  const auto low = bound(op == "hardtanh" ? "min_val" : "min", -kNone);
  const auto high = bound(op == "hardtanh" ? "max_val" : "max", kNone);
  if (!low || !high) return std::nullopt;
  return std::pair(*low, *high);
}

bool Clamp(Node* node, ValueGrids& grids) {
  const auto bounds = BoundsOf(node);
  if (!bounds) return false;
  const IntegerGrid grid = grids.Of(network::Subject(node));
  const auto on_grid = [&](double bound) {  // the nearest integers; beyond what there is, none
    const at::Tensor steps =
        (at::full({1}, bound, at::kDouble) / grid.scale).round_() + static_cast<double>(grid.zero_point);
    return AlongGrid(steps.clamp(-0x1p52, 0x1p52).to(at::kLong), grid);
  };
  const auto step = [low = on_grid(bounds->first), high = on_grid(bounds->second)](const auto& operands,
                                                                                   network::StepNotes& /*notes*/) {
    return operands[0].to(at::kLong).clamp(low, high).to(operands[0].scalar_type());
  };
  Replace(node, grids.Insert({network::Subject(node)}, step, grid));
  return true;
}

/// The operator itself, on the integers as float64.
Value* OnDoubles(Node* node, Value* operand, ValueGrids& grids) {
  node->replaceInput(0, grids.AsDouble(operand));
  return node->output();
}

/// Puts `value`, made by a step that reads `node`'s output, in that output's place.
bool Hand(Node* node, ValueGrids& grids, Value* also_read, network::Step step, IntegerGrid grid) {
  const torch::jit::WithInsertPoint after(node->next());
  Value* const result = node->output();
  Value* const value = grids.Insert({result, also_read}, std::move(step), std::move(grid));
  result->replaceAllUsesAfterNodeWith(value->node(), value);
  return true;
}

bool LargestElements(Node* node, ValueGrids& grids) {
  Value* const operand = network::Subject(node);
  const IntegerGrid grid = grids.Of(operand);
  const int axes = network::OperatorAxes(network::OperatorName(node));
  if (node->outputs().size() != 1 || !KeepsChannels(grid, axes)) return false;
  OnDoubles(node, operand, grids);
  const auto step = [](const auto& operands, network::StepNotes& /*notes*/) {
    return operands[0].to(operands[1].scalar_type());
  };
  return Hand(node, grids, operand, step, grid);
}

/// Elements in each window of a pool whose windows are all alike; nothing where they are not.
std::optional<double> WindowOf(const Node* node) {
  const auto sizes = network::IntsArgument(node, "kernel_size"), pads = network::IntsArgument(node, "padding");
  if (!sizes || !pads || !IsFalse(node, "ceil_mode")) return std::nullopt;
  const bool padded = std::any_of(pads->begin(), pads->end(), [](std::int64_t each) { return each != 0; });
  if (padded && !network::BoolArgument(node, "count_include_pad").value_or(false)) return std::nullopt;
  if (const auto divisor = NumberArgument(node, "divisor_override")) return divisor;
  std::vector<std::int64_t> window = *sizes;
  window.resize(static_cast<std::size_t>(network::OperatorAxes(network::OperatorName(node))), sizes->front());
  return static_cast<double>(c10::multiply_integers(window));
}

bool Average(Node* node, ValueGrids& grids) {
  Value* const operand = network::Subject(node);
  const IntegerGrid grid = grids.Of(operand);
  const std::string op = network::OperatorName(node);
  const int axes = network::OperatorAxes(op);
  if (!KeepsChannels(grid, axes) || grid.zero_point != 0) return false;
  const int bits = grids.multiplier_bits();
  network::Step step;
  if (op.starts_with("adaptive")) {
    step = [axes, bits](const auto& operands, network::StepNotes& /*notes*/) {
      const auto spatial = [&](const at::Tensor& of) {
        return of.sizes().slice(static_cast<std::size_t>(of.dim() - axes));
      };
      return RoundedAverages(operands[0], AdaptiveCounts(spatial(operands[1]), spatial(operands[0])), bits);
    };
  } else {
    const auto window = WindowOf(node);
    if (!window) return false;
    step = [count = at::full({1}, *window, at::kDouble), bits](const auto& operands, network::StepNotes& /*notes*/) {
      return RoundedAverages(operands[0], count, bits);
    };
  }
  OnDoubles(node, operand, grids);
  return Hand(node, grids, operand, step, grid);
}

bool Mean(Node* node, ValueGrids& grids) {
  const auto type = ConstantArgument(node, "dtype");
  if (!type || !type->isNone()) return false;
  Value* const operand = grids.OnOneScale(network::Subject(node));
  const IntegerGrid grid = grids.Of(operand);
  if (grid.zero_point != 0) return false;
  OnDoubles(node, operand, grids);
  const auto step = [bits = grids.multiplier_bits()](const auto& operands, network::StepNotes& /*notes*/) {
    const double count = static_cast<double>(operands[1].numel()) / static_cast<double>(operands[0].numel());
    return RoundedAverages(operands[0], at::full({1}, count, at::kDouble), bits);
  };
  return Hand(node, grids, operand, step, grid);
}

bool Add(Node* node, ValueGrids& grids) {
  Value *const a = network::Argument(node, "self"), *const b = network::Argument(node, "other");
  if (!a || !b || !grids.Has(a) || !grids.Has(b) || NumberArgument(node, "alpha").value_or(1) != 1) return false;
  const IntegerGrid sum = WideGrid(grids.Of(a).reach + grids.Of(b).reach);
  const auto step = [](const auto& operands, network::StepNotes& /*notes*/) { return operands[0] + operands[1]; };
  Replace(node, grids.Insert({grids.Requantize(a, sum), grids.Requantize(b, sum)}, step, sum));
  return true;
}

bool Concatenate(Node* node, ValueGrids& grids) {
  Node* const list = network::Argument(node, "tensors")->node();
  const auto axis = network::IntArgument(node, "dim");
  if (list->kind() != c10::prim::ListConstruct || !axis) return false;
  double reach = 0;
  for (const Value* part : list->inputs()) {
    if (!grids.Has(part)) return false;
    reach = std::max(reach, grids.Of(part).reach);
  }
  const IntegerGrid grid = WideGrid(reach);
  std::vector<Value*> parts;
  for (Value* part : list->inputs()) parts.push_back(grids.Requantize(part, grid));
  const auto step = [dim = *axis](const auto& operands, network::StepNotes& /*notes*/) {
    return at::cat(operands, dim);
  };
  Replace(node, grids.Insert(parts, step, grid));
  return true;
}

/// The operator itself, on the integers.
bool Rearrange(Node* node, ValueGrids& grids) {
  const std::string op = network::OperatorName(node);
  if (op == "dropout" && !IsFalse(node, "train")) return false;
  if (op == "pad" || op == "constant_pad_nd") {
    const auto mode = ConstantArgument(node, "mode"), value = ConstantArgument(node, "value");
    const bool zeros = value && (value->isNone() || value->toScalar().toDouble() == 0);
    if (!zeros || (op == "pad" && (!mode || mode->toStringRef() != "constant"))) return false;
    if (grids.Of(network::Subject(node)).zero_point != 0) return false;
  }
  Value* const operand = grids.OnOneScale(network::Subject(node));
  node->replaceInput(0, operand);
  grids.Set(node->output(), grids.Of(operand));
  return true;
}

}  // namespace

bool Rearranges(const Node* node) { return node->kind().is_aten() && Has(node, OperatorTrait::KeepsCodes); }

bool AsksForShape(const Node* node) { return node->kind().is_aten() && Has(node, OperatorTrait::AsksForShape); }

bool MakeInteger(Node* node, ValueGrids& grids) {
  if (!node->kind().is_aten() || node->outputs().size() != 1 || node->inputs().empty()) return false;
  const torch::jit::WithInsertPoint before(node);
  const std::string op = network::OperatorName(node);
  if (op == "cat") return Concatenate(node, grids);
  if (!grids.Has(network::Subject(node))) return false;
  for (std::size_t i = 1; i < node->inputs().size(); ++i)
    if (op != "add" && grids.Has(node->inputs()[i])) return false;
  if (op == "add") return Add(node, grids);
  if (op == "mean") return Mean(node, grids);
  if (Rearranges(node)) return Rearrange(node, grids);
  if (Has(op, OperatorTrait::MaxPool)) return LargestElements(node, grids);
  if (Has(op, OperatorTrait::AveragePool)) return Average(node, grids);
  return Clamp(node, grids);
}

}  // namespace bitplan::integer
