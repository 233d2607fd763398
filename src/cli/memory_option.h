#pragma once

#include <cstdint>
#include <vector>

#include "bitplan/data.h"
#include "bitplan/network.h"
#include "cli/command_line.h"

namespace bitplan::cli {

void AddMemoryOption(CommandLine& line);  ///< part of the model's options

/// What --memory, the most that the process may take, leaves for passes beside the program, the network and the data,
/// which are in memory by now; the same for the same files. Memory that is freed is kept to suit it from here on. Throws
/// Error, saying the least that would do, when it leaves nothing.
std::int64_t ReadMemory(const CommandLine& line, const Network& network, const std::vector<const Dataset*>& data);

}  // namespace bitplan::cli
