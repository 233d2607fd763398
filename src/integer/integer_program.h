#pragma once

#include <vector>

#include "bitplan/integer.h"
#include "integer/step_program.h"

namespace bitplan {

/// A quantized network as a program whose steps compute with integers, and what of it does not.
struct IntegerProgram {
  StepProgram program;
  std::vector<bool> integer_layers;     ///< as Network::layers(): all uses multiply integers
  std::vector<FloatOperator> in_float;  ///< in order of execution
};

IntegerProgram MakeIntegerProgram(const Network& network, const QuantizedState& state, const IntegerOptions& options);

}  // namespace bitplan
