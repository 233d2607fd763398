#pragma once

#include <vector>

#include "bitplan/fast.h"
#include "network/step_program.h"

namespace bitplan::fast {

/// A quantized network as a program with 8-bit kernels, and what of it has none.
struct FastProgram {
  network::StepProgram program;
  std::vector<bool> fast_layers;        ///< as Network::layers(): all uses run on 8-bit kernels
  std::vector<FloatOperator> in_float;  ///< layers, in order of execution
};

FastProgram MakeFastProgram(const Network& network, const QuantizedState& state, const FastOptions& options);

}  // namespace bitplan::fast
