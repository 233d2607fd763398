// Any bytes as a problem, plan or sensitivity file: read or refused with an Error, nothing else. What is read as a
// small problem is searched, too, and the answer checked. The first byte says which kind of file.
#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "bitplan/error.h"
#include "bitplan/plan.h"
#include "bitplan/search.h"

namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

void CheckSearch(const bitplan::Problem& problem, const std::string& method) {
  const bitplan::Solution solution = bitplan::Search(problem, {.method = method, .time_limit_seconds = 0.02});
  if (solution.choices.empty()) return;
  Require(solution.choices.size() == problem.groups.size());
  Require(solution.bound <= solution.objective);
  Require(solution.objective == bitplan::ObjectiveOf(problem, solution.choices));
  for (const auto& [cost, limit] : problem.budgets) {
    double spent = 0;
    for (std::size_t g = 0; g < problem.groups.size(); ++g)
      spent += problem.groups[g].choices[solution.choices[g]].costs.at(cost);
    Require(spent <= limit * (1 + 1e-9));
  }
}

void ReadAndSearch(const std::filesystem::path& file) {
  const bitplan::Problem problem = bitplan::ReadProblem(file);
  bitplan::ToJson(problem);
  if (problem.ChoiceCount() > 100) return;
  if (problem.joint) return CheckSearch(problem, "convex");
  bitplan::ToLp(problem);
  for (const auto method : {"greedy", "exact"}) CheckSearch(problem, method);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  static const std::filesystem::path file =
      std::filesystem::temp_directory_path() / ("bitplan-fuzz-" + std::to_string(getpid()) + ".json");
  std::ofstream(file, std::ios::binary)
      .write(reinterpret_cast<const char*>(data + 1), static_cast<std::streamsize>(size - 1));
  try {
    if (data[0] == 'p')
      bitplan::ToJson(bitplan::ReadPlan(file));
    else if (data[0] == 's')
      bitplan::ToJson(bitplan::ReadSensitivity(file));
    else
      ReadAndSearch(file);
  } catch (const bitplan::Error&) {  // bad input, said so
  }
  std::filesystem::remove(file);
  return 0;
}
