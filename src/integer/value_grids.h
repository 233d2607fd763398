#pragma once

#include <map>
#include <optional>
#include <vector>

#include "integer/grid.h"
#include "network/step_program.h"

namespace bitplan::integer {

/// Which values of a program's graph are integers, and on which grids; casts between them and float.
class ValueGrids {
 public:
  ValueGrids(network::StepProgram& program, int multiplier_bits)
      : program_(program), multiplier_bits_(multiplier_bits) {}

  bool Has(const torch::jit::Value* value) const { return grids_.contains(value); }
  const IntegerGrid& Of(const torch::jit::Value* value) const { return grids_.at(value); }
  void Set(const torch::jit::Value* value, IntegerGrid grid) { grids_[value] = std::move(grid); }

  int multiplier_bits() const { return multiplier_bits_; }

  /// A step at the insertion point that makes integers on a grid.
  torch::jit::Value* Insert(const std::vector<torch::jit::Value*>& operands, network::Step step, IntegerGrid grid);

  /// The same numbers on one scale, at the insertion point: the value itself where it has one.
  torch::jit::Value* OnOneScale(torch::jit::Value* value);

  /// Integers on another grid, at the insertion point.
  torch::jit::Value* Requantize(torch::jit::Value* value, const IntegerGrid& to);

  /// The integers of a value as float64, for operators that take no others and are exact on them.
  torch::jit::Value* AsDouble(torch::jit::Value* value);

  /// What the integers stand for, in float32; made once, where they are.
  torch::jit::Value* Float(torch::jit::Value* value);

 private:
  network::StepProgram& program_;
  int multiplier_bits_;
  std::map<const torch::jit::Value*, IntegerGrid> grids_;
  std::map<const torch::jit::Value*, torch::jit::Value*> floats_;
};

}  // namespace bitplan::integer
