#pragma once

#include <cstdint>
#include <vector>

#include "network/lowered_graph.h"

namespace bitplan {

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

/// The layers of a lowered graph and the places to tap. Taps are numbered as listed.
struct LayerMap {
  std::vector<Layer> layers;
  std::vector<Site> sites;
  std::vector<FloatOperator> left_in_float;
  std::vector<Tap> taps;
  std::vector<std::vector<UseTaps>> use_taps;  ///< as layers and their uses
  std::vector<MacRule> macs;
};

/// Finds every operator that reads a weight. Gives the parameters that freezing left nameless a name after their layer.
LayerMap FindLayers(LoweredGraph& lowered);

}  // namespace bitplan
