#pragma once

#include <cstddef>
#include <map>

#include "bitplan/fast.h"
#include "network/step_program.h"
#include "quantize/quantized_network.h"

namespace bitplan::fast {

/// Puts LibTorch's dynamically quantized LSTM in the place of those whose weights are all integers of at most 8 bits
/// with zero point 0: what they read, and their hidden state, find an 8-bit range at each step. Counts, by layer, the
/// uses that it took over.
void PutDynamicLstms(const Network& network, const QuantizedState& state, network::StepProgram& program,
                     std::map<int, std::size_t>& uses);

}  // namespace bitplan::fast
