#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include "value_grids.h"

namespace bitplan::integer {

/// Puts the integer form of an operator in its place, where it has one for the grids of its operands: its users then
/// read integers. Activations with bounds, largest elements, averages, sums, concatenations and rearrangements have
/// one. Returns whether it did.
bool MakeInteger(torch::jit::Node* node, ValueGrids& grids);

/// Whether `node` asks for nothing but a tensor's shape.
bool AsksForShape(const torch::jit::Node* node);

/// Whether `node` only hands on elements in another arrangement.
bool Rearranges(const torch::jit::Node* node);

}  // namespace bitplan::integer
