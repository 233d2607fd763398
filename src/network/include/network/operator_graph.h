#pragma once

#include <string>
#include <vector>

#include "bitplan/network.h"

namespace bitplan::network {

/// A tensor that an operator reads.
struct OperatorInput {
  int from = -1;    ///< the operator that makes it; −1: it comes from the network's inputs alone
  int tensor = -1;  ///< inputs with the same number read the same tensor
  int site = -1;    ///< where it can be quantized
};

/// An operator on the way from the network's inputs to its output.
struct Operator {
  std::string op;  ///< conv2d, add, relu, …
  std::string
      name;  ///< of a layer its own, else add_2: the third addition that a site can tell apart, and of others relu
  int layer = -1;                     ///< in Network::layers(); −1: none
  std::vector<OperatorInput> inputs;  ///< activations; those of one that is put together in branches one by one
  bool returned = false;              ///< the network's output is made of what it makes
};

/// The layers of a network and the operators that compute with what they make, in order of execution. What only
/// rearranges a tensor's elements, and what prepares the network's inputs and masks, is left out.
std::vector<Operator> OperatorGraph(const Network& network);

}  // namespace bitplan::network
