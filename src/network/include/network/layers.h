#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "network/lowered_graph.h"

namespace bitplan::network {

/// Where the graph is tapped: the operand of an operator, or its result.
struct Tap {
  torch::jit::Node* node = nullptr;
  int operand = -1;  ///< −1: the result
  int site = -1;
};

/// Where one use of a layer is tapped; −1 where it is not.
struct UseTaps {
  int input = -1, output = -1;
};

/// Multiply-accumulates of one use of a layer: elements seen at `tap` · `numerator` / `denominator`.
struct MacRule {
  int layer = -1;
  int tap = -1;
  std::int64_t numerator = 0, denominator = 1;
};

/// An operator without a weight whose operands can be quantized.
struct OperandOperator {
  std::string op;    ///< as OperandOperators() has it
  std::string name;  ///< add_2: the third addition
};

/// The layers of a lowered graph and the places to tap. Taps are numbered as listed.
struct LayerMap {
  std::vector<Layer> layers;
  std::vector<Site> sites;
  std::vector<FloatOperator> left_in_float;
  std::vector<Tap> taps;
  std::vector<std::vector<UseTaps>> use_taps;  ///< as layers and their uses
  std::vector<MacRule> macs;
  std::map<const torch::jit::Node*, int> layer_of_node;  ///< of the first weight that the node reads
  std::map<const torch::jit::Node*, OperandOperator> operand_operators;
};

/// Finds every operator that reads a weight. Gives the parameters that freezing left nameless a name after their layer.
LayerMap FindLayers(LoweredGraph& lowered);

}  // namespace bitplan::network
