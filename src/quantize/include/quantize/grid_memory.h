#pragma once

#include <cstdint>
#include <vector>

#include "bitplan/network.h"
#include "bitplan/plan.h"

namespace bitplan::quantize {

/// What FindGrids takes beside the weight and its result: the sorted values of a scale, and what a calibrator makes of
/// them, of as many scales as there are threads.
std::int64_t GridSearchBytes(const at::Tensor& weight, const std::vector<Format>& formats, int channel_axis);

/// Throws MemoryShort, naming the layer, where finding the scales of its weight for `plan`, beside the quantized
/// weights of the layers before it, takes more than `memory_bytes` allow.
void CheckGridsFit(const Network& network, const Plan& plan, std::int64_t memory_bytes);

/// The same of all layers in each of some formats, whose values are not kept.
void CheckGridsFit(const Network& network, const std::vector<Format>& formats, std::int64_t memory_bytes);

}  // namespace bitplan::quantize
