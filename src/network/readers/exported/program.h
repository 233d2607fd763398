#pragma once

#include <map>
#include <string>

#include "network/lowered_graph.h"
#include "readers/exported/archive.h"

namespace bitplan::network {

/// The graph of an exported program as it is written, in eval mode: its operators those of the file, its state the
/// parameters, tied ones once. `input_values`: as NetworkOptions has them. Throws Error: what has no meaning here
/// (named with operator and module), a damaged program.
LoweredGraph ProgramGraph(ExportedArchive& archive, const c10::Device& device,
                          const std::map<std::string, std::string>& input_values);

}  // namespace bitplan::network
