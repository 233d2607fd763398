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

namespace bitplan::cli {

namespace {

/// A problem file carries budgets of its own; --budget replaces those of the same cost.
Problem ReadProblemWithBudgets(const CommandLine& line) {
  Problem problem = ReadProblem(line.Get<std::string>("problem"));
  for (const std::string& text : line.List("budget")) {
    const auto equals = text.find('=');
    const std::string cost = text.substr(0, equals);
    const auto values = ParseNumbers("budget", equals == std::string::npos ? "" : text.substr(equals + 1));
    if (values.size() != 1) throw Error(fmt::format("--budget {}: expected COST=NUMBER, COST as in the problem file", text));
    problem.budgets[cost] = values[0];
  }
  problem.Validate();
  return problem;
}

void PrintChoices(const Problem& problem, const Solution& solution) {
  Table table({"group", "choice", "objective"});
  for (std::size_t i = 0; i < problem.groups.size(); ++i) {
    const Choice& choice = problem.groups[i].choices[solution.choices[i]];
    table.Add({problem.groups[i].name, choice.name, fmt::format("{:.6g}", choice.objective)});
  }
  fmt::print("{}\n{}\n", table.Text(), BriefReport(solution));
}

int SearchProblem(const CommandLine& line, const SearchOptions& options) {
  if (line.Has("out")) throw Error("--out needs a sensitivity file: a problem alone does not name formats; use --json");
  if (line.Has("keep")) throw Error("--keep needs a sensitivity file; leave the other choices out of the problem instead");
  const Problem problem = ReadProblemWithBudgets(line);
  const Solution solution = Search(problem, options);
  const bool tables = WriteJson(line, ToJson(problem, solution));
  if (solution.choices.empty()) {
    PrintInfeasible(problem, solution);
    return kNoPlan;
  }
  if (tables) PrintChoices(problem, solution);
  return kDone;
}

}  // namespace

int SearchPlan(const Arguments& arguments) {
  CommandLine line("search sensitivity.json --budget weight_size=12.5% --out plan.json [options]",
                   "Finds the plan with the least predicted loss within every budget, and proves how good it is.");
  line.AddPositional("sensitivity.json", "from bitplan analyze");
  line.Add()("problem", po::value<std::string>()->value_name("FILE"), "search this bitplan.problem/1 file instead; needs no model")(
      "out", po::value<std::string>()->value_name("FILE"), "where the plan goes");
  AddSearchOptions(line);
  if (!line.Parse(arguments)) return kDone;
  SearchOptions options = ReadSearchOptions(line);
  options.progress = ShowProgress();
  if (line.Has("problem")) return SearchProblem(line, options);

  const ProblemOptions problem_options = ReadProblemOptions(line);
  const Sensitivity sensitivity = ReadSensitivity(line.Required("sensitivity.json"));
  if (line.Has("out")) RequireWritable(line.Get<std::string>("out"));
  const Problem problem = MakeProblem(sensitivity, problem_options);
  const Solution solution = Search(problem, options);
  const bool tables = WriteJson(line, ToJson(problem, solution));
  if (solution.choices.empty()) {
    PrintInfeasible(problem, solution);
    return kNoPlan;
  }
  Plan plan = MakePlan(sensitivity, problem, solution, problem_options.measure);
  if (const std::int64_t resamples = ReadResamples(line); resamples > 0)
    plan.stability = ResamplePlan(sensitivity, problem_options, options, solution.choices,
                                  {{.resamples = resamples, .seed = sensitivity.seed}, options.progress});
  if (line.Has("out")) WriteFile(line.Get<std::string>("out"), ToJson(plan));
  if (!tables) return kDone;
  PrintPlan(plan, sensitivity);
  PrintCosts(plan);
  return kDone;
}

}  // namespace bitplan::cli
