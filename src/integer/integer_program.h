#pragma once

#include <utility>
#include <vector>

#include "bitplan/integer.h"
#include "network/step_program.h"

namespace bitplan::integer {

/// What one run of such a program notes.
struct IntegerNotes : network::StepNotes {
  std::vector<std::int64_t> overflows;            ///< by layer
  bool keep_codes = false;                        ///< whether `codes` is wanted
  std::vector<std::pair<int, at::Tensor>> codes;  ///< of quantized sites, in order of execution
};

/// A quantized network as a program whose steps compute with integers, and what of it does not.
struct IntegerProgram {
  network::StepProgram program;
  std::vector<bool> integer_layers;     ///< as Network::layers(): all uses multiply integers
  std::vector<FloatOperator> in_float;  ///< in order of execution
};

IntegerProgram MakeIntegerProgram(const Network& network, const QuantizedState& state, const IntegerOptions& options);

}  // namespace bitplan::integer
