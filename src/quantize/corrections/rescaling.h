#pragma once

#include "bitplan/data.h"
#include "bitplan/network.h"
#include "bitplan/pass_limits.h"
#include "bitplan/plan.h"

namespace bitplan::quantize {

/// The network with its channels rescaled as `plan.corrections` say: what makes a channel divided by s, what reads it
/// multiplied, wherever that leaves the output as it is (FindChannelLinks). SmoothQuant where a reader's input is
/// quantized, activation-aware scales where a reader's weight is. Throws Error when there is nothing to rescale, and
/// when the output on the first samples of `data` moves by more than 1e-4 of its size. Activation-aware scales keep
/// second moments within `memory_bytes`: of some links in each of several passes over the data, in blocks of inputs
/// where one layer's are too many.
Network Rescale(const Network& network, const Plan& plan, const Dataset& data, std::int64_t batch_size,
                std::int64_t memory_bytes = std::int64_t{2} << 30);

/// Rescale with as many samples a pass, and as much for moments beside them, as the limits allow. Throws MemoryShort
/// where not even one sample fits.
Network RescaleWithin(const Network& network, const Plan& plan, const Dataset& data, const PassLimits& limits);

/// Rescale of equalization, which needs no data; the output is not compared.
Network Equalize(const Network& network, const Plan& plan);

}  // namespace bitplan::quantize
