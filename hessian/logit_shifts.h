#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <functional>
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

/// Called with every choice's shift of some samples, from `begin` on; `logits` and `shift` are [samples, output…], float32 on the CPU.
using ShiftConsumer =
    std::function<void(std::int64_t begin, const at::Tensor& logits, std::size_t choice, const at::Tensor& shift)>;

/// Measured: a partial forward from the choice's layer on, with what comes before it kept. Linear: J δ, from one backward pass for
/// every element of a sample's output and local products; a choice whose layers have no such product is measured. Goes through the
/// data in chunks that the memory limit allows. Throws Error when an output is not finite, naming the layer.
void ForEachShift(const Network& network, const Dataset& data, const SingleChoices& choices, const LogitShiftOptions& options,
                  const ShiftConsumer& use);

/// All of them.
LogitShifts ComputeLogitShifts(const Network& network, const Dataset& data, const SingleChoices& choices,
                               const LogitShiftOptions& options);

}  // namespace bitplan
