// Solves allocation problems and prints what that took: bitplan.problem/1 files, exactly or, where they have a joint
// term, by the method convex; without any, generated ones with a joint term.
//
// usage: bench_search [--gap G] [--limit SECONDS] [--only TEXT] [--write-lp FOLDER] [PROBLEM.json …]
//   --only      generated problems with TEXT in their name
//   --write-lp  leaves each problem as FOLDER/1.lp, 2.lp, … for other solvers, where the format can say it

#include "bitplan/search.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <cstdlib>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include "bitplan/error.h"
#include "bitplan/files.h"
#include "bitplan/plan.h"
#include "network_like_problems.h"

namespace {

void SolveAndPrint(const bitplan::Problem& problem, bitplan::SearchOptions options) {
  options.method = bitplan::ProvingMethod(problem.joint.has_value());
  const auto solution = bitplan::Search(problem, options);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  fmt::print("{:<52} {:>6} {:>10.6f} {:>16.10g} {:>16.10g} {:>9.2g} {:>9} {:>6} {}\n", problem.name,
             problem.groups.size(), solution.seconds, solution.objective, solution.bound, solution.gap, solution.nodes,
             usage.ru_maxrss / 1024, bitplan::ToString(solution.status));
}

void WriteLp(const bitplan::Problem& problem, const std::string& folder, std::size_t number) {
  try {
    bitplan::WriteFile(std::filesystem::path(folder) / fmt::format("{}.lp", number), bitplan::ToLp(problem));
  } catch (const bitplan::Error& error) {
    fmt::print(stderr, "bench_search: {}: {}\n", problem.name, error.what());
  }
}

}  // namespace

int main(int argc, char** argv) try {
  bitplan::SearchOptions options;
  std::string only, folder;
  std::vector<bitplan::Problem> problems;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const bool valued = i + 1 < argc;
    if (argument == "--gap" && valued)
      options.gap = std::atof(argv[++i]);
    else if (argument == "--limit" && valued)
      options.time_limit_seconds = std::atof(argv[++i]);
    else if (argument == "--only" && valued)
      only = argv[++i];
    else if (argument == "--write-lp" && valued)
      folder = argv[++i];
    else
      problems.push_back(bitplan::ReadProblem(argument));
  }
  if (problems.empty()) problems = NetworkLikeProblems();
  fmt::print("{:<52} {:>6} {:>10} {:>16} {:>16} {:>9} {:>9} {:>6} {}\n", "problem", "groups", "seconds", "objective",
             "bound", "gap", "nodes", "MiB", "status");
  for (std::size_t i = 0; i < problems.size(); ++i) {
    if (problems[i].name.find(only) == std::string::npos) continue;
    if (!folder.empty()) WriteLp(problems[i], folder, i + 1);
    SolveAndPrint(problems[i], options);
  }
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "bench_search: {}\n", error.what());
  return 2;
}
