#pragma once

#include <cstddef>
#include <filesystem>
#include <random>
#include <vector>

#include "bitplan/agent.h"
#include "search/agent/ddpg.h"

namespace bitplan::search {

/// All that an agent goes on from.
struct Training {
  Ddpg agent;
  std::mt19937_64 random;
  std::vector<AgentEpisode> episodes = {};
  std::vector<std::size_t> best = {};  ///< choices of the best plan
};

/// Reads the file of `options` into `training`, where it is there. Throws Error when it is no checkpoint, or of another
/// search, naming what differs.
void ReadCheckpoint(const Problem& problem, const AgentOptions& options, Training& training);

/// Throws Error when it cannot be written.
void WriteCheckpoint(const Problem& problem, const AgentOptions& options, const Training& training);

}  // namespace bitplan::search
