#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "bitplan/analyze.h"
#include "bitplan/data.h"
#include "bitplan/network.h"
#include "bitplan/progress.h"
#include "quantize/single_choices.h"

namespace bitplan {

/// What every choice, made alone, adds to the network's output: δz of the loss model (design.md, section 5).
struct LogitShifts {
  at::Tensor logits;               ///< of the float network, [N, output…], float32 on the CPU
  std::vector<at::Tensor> shifts;  ///< of each choice, likewise
};

struct LogitShiftOptions {
  Delta delta = Delta::Measured;
  std::int64_t memory_bytes = std::int64_t{2} << 30;
  ProgressCallback progress;
};

/// Measured: a partial forward from the choice's layer on, with what comes before it kept. Linear: J δ, from one backward pass for
/// every element of a sample's output and local products; a choice whose layers have no such product is measured. Throws Error when
/// an output is not finite, naming the layer.
LogitShifts ComputeLogitShifts(const Network& network, const Dataset& data, const SingleChoices& choices,
                               const LogitShiftOptions& options);

}  // namespace bitplan
