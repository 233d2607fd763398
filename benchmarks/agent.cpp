// The learning agent beside random search with as many evaluations, and both beside the proven optimum.
//
// usage: bench_agent [--episodes N] [--warm-up N] [--seeds N] PROBLEM.json …
//
// Two random searches: "random walk" walks through the groups as the agent does, with uniform actions; "random repair"
// draws every choice alike, and lowers groups in random order until the plan is within the budgets.

#include "bitplan/agent.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <limits>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "bitplan/plan.h"

namespace {

using namespace bitplan;
using Choices = std::vector<std::size_t>;

/// The largest share of a budget that a plan spends.
double Peak(const Problem& problem, const Choices& choices) {
  double peak = 0;
  for (const auto& [cost, budget] : problem.budgets) {
    double spent = 0;
    for (std::size_t g = 0; g < choices.size(); ++g) spent += problem.groups[g].choices[choices[g]].costs.at(cost);
    peak = std::max(peak, spent / budget);
  }
  return peak;
}

Choices DrawPlan(const Problem& problem, std::mt19937_64& random) {
  while (true) {
    Choices choices;
    for (const Group& group : problem.groups) choices.push_back(random() % group.choices.size());
    std::vector<std::size_t> order(choices.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    for (std::size_t round = 0; Peak(problem, choices) > 1 && round < 100; ++round) {
      std::shuffle(order.begin(), order.end(), random);
      for (const std::size_t g : order) {
        Choices lower = choices;
        lower[g] = random() % problem.groups[g].choices.size();
        if (Peak(problem, choices) > 1 && Peak(problem, lower) < Peak(problem, choices)) choices = lower;
      }
    }
    if (Peak(problem, choices) <= 1) return choices;
  }
}

double BestRepaired(const Problem& problem, std::int64_t plans, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  double best = std::numeric_limits<double>::infinity();
  for (std::int64_t i = 0; i < plans; ++i) best = std::min(best, ObjectiveOf(problem, DrawPlan(problem, random)));
  return best;
}

void Compare(const Problem& problem, AgentOptions options, std::uint64_t seeds) {
  fmt::print("{}: {} groups, {} plans tried\n{:>6} {:>14} {:>14} {:>14} {:>14} {:>10} {:>9} {:>9}\n", problem.name,
             problem.groups.size(), options.episodes, "seed", "proven bound", "agent", "random walk", "random repair",
             "above", "seconds", "of them");
  for (options.seed = 1; options.seed <= seeds; ++options.seed) {
    const Solution agent = SearchByAgent(problem, options).solution;
    AgentOptions untaught = options;
    untaught.warm_up = options.episodes;
    const Solution walk = SearchByAgent(problem, untaught).solution;
    fmt::print("{:>6} {:>14.8g} {:>14.8g} {:>14.8g} {:>14.8g} {:>9.2f}% {:>9.1f} {:>8.2f}x\n", options.seed,
               agent.bound, agent.objective, walk.objective, BestRepaired(problem, options.episodes, options.seed),
               100 * (agent.objective - agent.bound) / std::abs(agent.bound), agent.seconds,
               agent.objective / walk.objective);
  }
}

}  // namespace

int main(int argc, char** argv) try {
  AgentOptions options;
  std::uint64_t seeds = 5;
  std::vector<Problem> problems;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const bool valued = i + 1 < argc;
    if (word == "--episodes" && valued)
      options.episodes = std::atoll(argv[++i]);
    else if (word == "--warm-up" && valued)
      options.warm_up = std::atoll(argv[++i]);
    else if (word == "--seeds" && valued)
      seeds = std::strtoull(argv[++i], nullptr, 10);
    else
      problems.push_back(ReadProblem(word));
  }
  for (const Problem& problem : problems) Compare(problem, options, seeds);
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "bench_agent: {}\n", error.what());
  return 2;
}
