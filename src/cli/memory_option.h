#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bitplan/data.h"
#include "bitplan/network.h"
#include "command.h"
#include "command_line.h"
#include "process/memory_limit.h"

namespace bitplan::cli {

void AddMemoryOption(CommandLine& line);  ///< part of the model's options

/// Loads MODEL.pt. Throws Error, before it is read, where its tensors alone take more than --memory leaves beside the
/// program.
Network LoadNetwork(const CommandLine& line, const NetworkOptions& options);

/// What --memory leaves for data that has to be held, beside the program, the network and the least that passes take;
/// at least 1.
std::int64_t MemoryOfData(const CommandLine& line, const Network& network);

/// What --memory, the most that the process may take, leaves for passes beside the program, the network and the data,
/// which are in memory by now; the same for the same files. Memory that is freed is kept to suit it from here on.
/// Throws Error, saying the least that would do, when it leaves nothing.
std::int64_t ReadMemory(const CommandLine& line, const Network& network, const std::vector<const Dataset*>& data);

/// What is to be told of a command that ended with `error`: what needs how much, and the --memory that would do.
std::string MemoryNeeded(const Arguments& arguments, const process::MemoryShort& error);

}  // namespace bitplan::cli
