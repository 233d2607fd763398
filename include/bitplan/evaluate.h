#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "bitplan/data.h"
#include "bitplan/network.h"
#include "bitplan/plan.h"
#include "bitplan/progress.h"
#include "bitplan/quantize.h"

namespace bitplan {

/// Runs the float network and, side by side, each of `quantized` over `data`; results in that order, the float one first.
/// Throws Error when an output is not finite or labels do not fit it.
std::vector<Evaluation> Evaluate(const Network& network, const std::vector<QuantizedNetwork>& quantized, const Dataset& data,
                                 std::int64_t batch_size = 128, const ProgressCallback& progress = {});

}  // namespace bitplan
