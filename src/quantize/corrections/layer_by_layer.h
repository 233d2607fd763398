#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "bitplan/network.h"

namespace bitplan::quantize {

/// Thrown by a probe where the rest of a run is not wanted.
struct RunEnds {};

/// Runs a network over parts of some samples, again and again, each time a little further: a run ends where `probe`
/// throws RunEnds, and `reached`, called after a run of all parts, says whether some did, and lets the next go on.
///
/// What parts have come to is kept, as long as it takes no more than `memory_bytes`, so that they go on from there;
/// else they begin where it was kept last.
void RunLayerByLayer(const Network& network, const std::vector<std::vector<at::Tensor>>& parts,
                     const std::vector<at::Tensor>& parameters, std::int64_t memory_bytes, Probe& probe,
                     const std::function<bool()>& reached);

}  // namespace bitplan::quantize
