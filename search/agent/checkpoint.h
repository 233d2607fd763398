#pragma once

#include <cstddef>
#include <random>
#include <vector>

#include "bitplan/agent.h"
#include "files/journal.h"
#include "search/agent/ddpg.h"

namespace bitplan::search {

/// All that an agent goes on from.
struct Training {
  Ddpg agent;
  std::mt19937_64 random;
  std::vector<AgentEpisode> episodes = {};
  std::vector<std::size_t> best = {};  ///< choices of the best plan
};

/// What must be the same for an agent to go on.
JournalSubject SubjectOf(const Problem& problem, const AgentOptions& options);

/// Reads what `checkpoint` has, if anything. Throws Error when it is damaged, or has more episodes than are asked for.
void ReadCheckpoint(const Journal& checkpoint, const AgentOptions& options, Training& training);

JournalSteps StepsOf(const Training& training);

}  // namespace bitplan::search
