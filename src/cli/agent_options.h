#pragma once

#include "bitplan/agent.h"
#include "options.h"

namespace bitplan::cli {

void AddAgentOptions(CommandLine& line);  ///< those of --method agent

/// Throws Error when some are given and the method is another, and when a file cannot be written.
AgentOptions ReadAgentOptions(const CommandLine& line, SearchMethod method);

/// Writes the learning curve where it was asked for.
void WriteCurve(const CommandLine& line, const std::vector<AgentEpisode>& episodes);

}  // namespace bitplan::cli
