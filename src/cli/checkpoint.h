#pragma once

#include <filesystem>
#include <functional>

#include "options.h"

namespace bitplan::cli {

/// --resume, for commands with an analysis that may be interrupted and gone on with.
void AddResumeOption(CommandLine& line);

std::filesystem::path CheckpointOf(const std::filesystem::path& result);

/// Calls `work` with the name of a checkpoint beside `result`, gone on from with --resume and begun anew without.
/// Afterwards it is removed, also when the network is refused: the same command would be refused again. Left, and said
/// to be there, when the work is interrupted or fails otherwise.
void WithCheckpoint(const CommandLine& line, const std::filesystem::path& result,
                    const std::function<void(const std::filesystem::path& checkpoint)>& work);

}  // namespace bitplan::cli
