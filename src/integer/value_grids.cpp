#include "value_grids.h"

#include <ATen/ATen.h>

#include <utility>

namespace bitplan::integer {

using torch::jit::Value;

Value* ValueGrids::Insert(const std::vector<Value*>& operands, network::Step step, IntegerGrid grid) {
  Value* const value = program_.Insert(operands, std::move(step));
  Set(value, std::move(grid));
  return value;
}

Value* ValueGrids::OnOneScale(Value* value) {
  return Of(value).HasOneScale() ? value : Requantize(value, WideGrid(Of(value).reach));
}

Value* ValueGrids::Requantize(Value* value, const IntegerGrid& to) {
  const auto step = [from = Of(value), to, bits = multiplier_bits_](const auto& operands,
                                                                    network::StepNotes& /*notes*/) {
    return Requantized(operands[0], from, to, bits);
  };
  return Insert({value}, step, to);
}

Value* ValueGrids::AsDouble(Value* value) {
  return program_.Insert(
      {value}, [](const auto& operands, network::StepNotes& /*notes*/) { return operands[0].to(at::kDouble); });
}

Value* ValueGrids::Float(Value* value) {
  const auto [found, inserted] = floats_.try_emplace(value, nullptr);
  if (!inserted) return found->second;
  const torch::jit::WithInsertPoint after(value->node()->next());
  const auto step = [grid = Of(value)](const auto& operands, network::StepNotes& /*notes*/) {
    return Dequantized(operands[0], grid);
  };
  return floats_[value] = program_.Insert({value}, step);
}

}  // namespace bitplan::integer
