#pragma once

#include <cstddef>
#include <random>
#include <vector>

#include "bitplan/agent.h"
#include "ddpg.h"
#include "files/journal.h"

namespace bitplan::agent {

/// All that an agent goes on from.
struct Training {
  Ddpg agent;
  std::mt19937_64 random;
  std::vector<AgentEpisode> episodes = {};
  std::vector<std::size_t> best = {};  ///< choices of the best plan
};

/// What must be the same for an agent to go on.
files::JournalSubject SubjectOf(const Problem& problem, const AgentOptions& options);

/// Reads what `checkpoint` has, if anything. Throws Error when it is damaged, or has more episodes than are asked for.
void ReadCheckpoint(const files::Journal& checkpoint, const AgentOptions& options, Training& training);

files::JournalSteps StepsOf(const Training& training);

}  // namespace bitplan::agent
