#include "agent_options.h"

#include <fmt/format.h>

#include "bitplan/error.h"
#include "bitplan/files.h"
#include "number_option.h"
#include "output_path.h"

namespace bitplan::cli {

SearchRegistry WithAgent() {
  SearchRegistry searches;
  AddAgent(searches);
  return searches;
}

void AddAgentOptions(CommandLine& line) {
  const AgentOptions defaults;
  const OfWhat of{{"method", {kAgentMethod}}};
  line.Add({
      {"episodes", Number<std::int64_t>(WholeFrom(1), defaults.episodes), "plans that the learning agent tries", of},
      {"warm-up", Number<std::int64_t>(WholeFrom(1), defaults.warm_up), "of them, the first so many at random", of},
      {"agent-seed", Number<std::uint64_t>(NotNegative(), defaults.seed), "of the agent's draws", of},
      {"agent-checkpoint", WrittenFile(),
       "keeps the agent; found there, it goes on from where it was, also to more episodes", of},
      {"curve-csv", WrittenFile(), "write the agent's learning curve as a table", of},
      {"curve-svg", WrittenFile(), "draw the agent's learning curve", of},
  });
}

AgentOptions ReadAgentOptions(const CommandLine& line) {
  AgentOptions options;
  options.episodes = line.Get<std::int64_t>("episodes");
  options.warm_up = line.Get<std::int64_t>("warm-up");
  options.seed = line.Get<std::uint64_t>("agent-seed");
  if (line.Has("agent-checkpoint")) options.checkpoint = line.Get<std::string>("agent-checkpoint");
  options.Validate();
  if (!line.IsDefault("warm-up") && options.checkpoint.empty() && options.warm_up > options.episodes)
    throw Error(fmt::format("--warm-up {}: of the plans that the agent tries, which are --episodes {}", options.warm_up,
                            options.episodes));
  for (const char* file : {"agent-checkpoint", "curve-csv", "curve-svg"})
    if (line.Has(file)) RequireWritable(line.Get<std::string>(file));
  return options;
}

void WriteCurve(const CommandLine& line, const std::vector<AgentEpisode>& episodes) {
  if (line.Has("curve-csv")) WriteFile(line.Get<std::string>("curve-csv"), ToCsv(episodes));
  if (line.Has("curve-svg") && !episodes.empty()) WriteFile(line.Get<std::string>("curve-svg"), ToSvg(episodes));
}

}  // namespace bitplan::cli
