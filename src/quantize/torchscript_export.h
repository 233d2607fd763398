#pragma once

#include <string>

#include "bitplan/files.h"
#include "quantize/quantized_network.h"

namespace bitplan::quantize {

/// Gives `sink` the bytes of a TorchScript file of standard operators: integer weights as int8 with their scales, turned
/// back into float32 in the graph, and fake-quantize operators on layer inputs; the plan's JSON stands beside the code
/// as plan.json. Throws Error.
void ExportTorchScript(const Network& network, const QuantizedState& state, const std::string& plan_json,
                       const ByteSink& sink);

}  // namespace bitplan::quantize
