#include "bitplan/files.h"
#include "bitplan/search.h"

#include <fmt/format.h>

#include "bitplan/error.h"
#include "bitplan/plan.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/options.h"
#include "cli/output_path.h"
#include "cli/report.h"
#include "cli/searched.h"

namespace bitplan::cli {

namespace {

void PrintChoices(const Problem& problem, const Solution& solution) {
  Table table({"group", "choice", "objective"});
  for (std::size_t i = 0; i < problem.groups.size(); ++i) {
    const Choice& choice = problem.groups[i].choices[solution.choices[i]];
    table.Add({problem.groups[i].name, choice.name, fmt::format("{:.6g}", choice.objective)});
  }
  fmt::print("{}\n{}\n", table.Text(), BriefReport(solution));
}

}  // namespace

int SearchPlan(const Arguments& arguments) {
  CommandLine line("search sensitivity.json --budget weight_size=12.5% --out plan.json [options]",
                   "Finds the plan with the least predicted loss within every budget, and proves how good it is.");
  AddSearchedOptions(line);
  line.Add()("out", po::value<std::string>()->value_name("FILE"), "where the plan goes");
  if (!line.Parse(arguments)) return kDone;
  SearchOptions options = ReadSearchOptions(line);
  options.progress = ShowProgress();
  if (line.Has("problem") && line.Has("out"))
    throw Error("--out needs a sensitivity file: a problem alone does not name formats; use --json");
  const auto [problem, sensitivity] = ReadSearched(line);
  if (line.Has("out")) RequireWritable(line.Get<std::string>("out"));
  const Solution solution = Search(problem, options);
  const bool tables = WriteJson(line, ToJson(problem, solution));
  if (solution.choices.empty()) {
    PrintInfeasible(problem, solution);
    return kNoPlan;
  }
  if (!sensitivity) {
    if (tables) PrintChoices(problem, solution);
    return kDone;
  }
  const Plan plan = MakePlan(*sensitivity, problem, solution, ReadProblemOptions(line).measure);
  if (line.Has("out")) WriteFile(line.Get<std::string>("out"), ToJson(plan));
  if (!tables) return kDone;
  PrintPlan(plan, *sensitivity);
  PrintCosts(plan);
  return kDone;
}

}  // namespace bitplan::cli
