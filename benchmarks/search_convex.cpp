// Solves allocation problems with a joint term (bitplan.problem/1 files) and prints what that took.
//
// usage: bench_search_convex [--gap G] [--limit SECONDS] PROBLEM.json …

#include <fmt/format.h>

#include <cstdlib>
#include <exception>
#include <string>

#include "bitplan/plan.h"
#include "bitplan/search.h"

int main(int argc, char** argv) try {
  bitplan::SearchOptions options;
  options.method = bitplan::SearchMethod::Convex;
  fmt::print("{:<40} {:>6} {:>10} {:>16} {:>16} {:>9} {:>9} {}\n", "problem", "groups", "seconds", "objective", "bound",
             "gap", "nodes", "status");
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--gap" && i + 1 < argc) {
      options.gap = std::atof(argv[++i]);
      continue;
    }
    if (argument == "--limit" && i + 1 < argc) {
      options.time_limit_seconds = std::atof(argv[++i]);
      continue;
    }
    const auto problem = bitplan::ReadProblem(argument);
    const auto solution = bitplan::Search(problem, options);
    fmt::print("{:<40} {:>6} {:>10.4f} {:>16.10g} {:>16.10g} {:>9.2g} {:>9} {}\n", problem.name, problem.groups.size(),
               solution.seconds, solution.objective, solution.bound, solution.gap, solution.nodes,
               bitplan::ToString(solution.status));
  }
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "bench_search_convex: {}\n", error.what());
  return 2;
}
