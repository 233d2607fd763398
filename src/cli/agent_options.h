#pragma once

#include "bitplan/agent.h"
#include "options.h"

namespace bitplan::cli {

SearchRegistry WithAgent();  ///< the methods of commands that offer the agent, too

void AddAgentOptions(CommandLine& line);  ///< those of --method agent

/// Throws Error when a file cannot be written.
AgentOptions ReadAgentOptions(const CommandLine& line);

/// Writes the learning curve where it was asked for.
void WriteCurve(const CommandLine& line, const std::vector<AgentEpisode>& episodes);

}  // namespace bitplan::cli
