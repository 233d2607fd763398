#pragma once

#include <ATen/core/ivalue.h>

#include <cstdint>
#include <string>

#include "network/lowered_graph.h"

namespace bitplan::network {

/// Makes the graph return only what `which` selects, as far as the graph itself shows, and drops what only the other
/// outputs needed. Returns what remains to be selected when it runs.
std::string NarrowOutput(LoweredGraph& lowered, std::string which);

/// The tensor among a network's outputs that `which` names: an index, a name (named tuples and dicts), or a path of
/// them
/// ("0.logits"); empty picks the only one. Throws Error listing the outputs there are.
at::Tensor SelectOutput(const c10::IValue& output, const std::string& which);

/// Throws Error unless the first axis of an output counts this many samples.
void CheckSampleAxis(const at::Tensor& output, std::int64_t samples);

}  // namespace bitplan::network
