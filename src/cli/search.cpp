#include "bitplan/search.h"

#include <fmt/format.h>

#include <cmath>
#include <optional>

#include "agent_options.h"
#include "bitplan/error.h"
#include "bitplan/files.h"
#include "bitplan/plan.h"
#include "bitplan/robustness.h"
#include "command.h"
#include "interrupt.h"
#include "number_option.h"
#include "options.h"
#include "output_path.h"
#include "report.h"
#include "resamples_report.h"
#include "search_options.h"
#include "searched.h"

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

void PrintRobustness(const Problem& problem, const Solution& solution, const Robustness& robustness) {
  Table prices({"budget", "one more unit is worth", "one more percent is worth"});
  for (const auto& [cost, price] : solution.shadow_prices)
    prices.Add({cost, fmt::format("{:.4g}", price), fmt::format("{:.4g}", price * problem.budgets.at(cost) / 100)});
  if (!solution.shadow_prices.empty()) fmt::print("\n{}", prices.Text());
  if (const auto& other = robustness.runner_up) {
    fmt::print("\nbest other plan: objective {:.6g}, {:.3g}% above; it differs in\n", other->objective,
               100 * (other->objective - solution.objective) / std::abs(solution.objective));
    for (std::size_t g = 0; g < problem.groups.size(); ++g)
      if (const Group& group = problem.groups[g]; other->choices[g] != solution.choices[g])
        fmt::print("  {}: {} instead of {}\n", group.name, group.choices[other->choices[g]].name,
                   group.choices[solution.choices[g]].name);
  }
  const NoiseChanges& noise = robustness.noise;
  fmt::print("\ngroups that change in any of {} draws of the measure's noise:\n", noise.draws);
  Table changes({"group", "changes"});
  for (std::size_t g = 0; g < problem.groups.size(); ++g)
    if (noise.changes[g] > 0) changes.Add({problem.groups[g].name, fmt::format("{:.0f}%", 100 * noise.changes[g])});
  fmt::print("{}", changes.Text());
}

/// `options` are left as what follows can use them.
Solution Find(const CommandLine& line, const Problem& problem, const AgentOptions& agent, SearchOptions& options) {
  SearchRegistry searches;
  AddAgent(searches, agent, [&](const std::vector<AgentEpisode>& episodes) { WriteCurve(line, episodes); });
  Solution solution = searches.Solve(problem, options);
  options.method = StandIn(options.method, problem.joint.has_value());
  return solution;
}

}  // namespace

int SearchPlan(const Arguments& arguments) {
  CommandLine line("search sensitivity.json --budget weight_size=12.5% --out plan.json [options]",
                   "Finds the plan with the least predicted loss within every budget, and proves how good it is.");
  AddSearchedOptions(line, WithAgent());
  line.Add({
      {"out", WrittenFile(), "where the plan goes"},
      {"explain", Flag(),
       "tell what the answer hangs on: the worth of each budget, the best other plan, and the groups whose choice the "
       "measure's noise could turn"},
      {"draws",
       Number<std::int64_t>(WholeFrom(1), NoiseOptions().draws),
       "random draws of the measure's noise",
       {{"explain"}}},
      {"write-lp", WrittenFile(), "write the problem in the LP format of other solvers, too"},
  });
  AddAgentOptions(line);
  if (!line.Parse(arguments)) return kDone;
  SearchOptions options = ReadSearchOptions(line);
  options.progress = ShowBar();
  options.stop = WasInterrupted;
  AgentOptions agent = ReadAgentOptions(line);
  agent.certificate = options.Limits();
  agent.progress = options.progress;
  agent.stop = options.stop;
  if (line.Has("problem") && line.Has("out"))
    throw Error("--out needs a sensitivity file: a problem alone does not name formats; use --json");
  const auto [problem, sensitivity, problem_options] = ReadSearched(line);
  if (line.Has("out")) RequireWritable(line.Get<std::string>("out"));
  if (line.Has("write-lp")) WriteFile(line.Get<std::string>("write-lp"), ToLp(problem));
  const Solution solution = Find(line, problem, agent, options);
  const int code = WasInterrupted() ? kInterrupted : kDone;  // the best plan so far is an answer, too
  std::optional<Robustness> robustness;
  if (line.Get<bool>("explain") && !solution.choices.empty())
    robustness = RobustnessOf(problem, solution, {.draws = line.Get<std::int64_t>("draws")}, options);
  const bool tables = WriteJson(line, robustness ? ToJson(problem, solution, *robustness) : ToJson(problem, solution));
  if (solution.choices.empty()) {
    PrintInfeasible(line, problem, solution);
    return WasInterrupted() ? kInterrupted : kNoPlan;
  }
  if (!sensitivity) {
    if (tables) PrintChoices(problem, solution);
    if (tables && robustness) PrintRobustness(problem, solution, *robustness);
    return code;
  }
  Plan plan = MakePlan(*sensitivity, problem, solution, problem_options.measure);
  if (const std::int64_t resamples = line.Get<std::int64_t>("resamples"); resamples > 0 && !WasInterrupted()) {
    options.time_limit_seconds -= solution.seconds;
    plan.stability = ResamplePlan(*sensitivity, problem_options, options, solution.choices,
                                  {{.resamples = resamples, .seed = sensitivity->seed}, options.progress});
    if (!WasInterrupted()) TellOfResamples(plan, *sensitivity, resamples);
  }
  if (WasInterrupted()) plan.stability.reset();
  if (line.Has("out")) WriteFile(line.Get<std::string>("out"), ToJson(plan));
  if (!tables) return code;
  PrintPlan(plan, *sensitivity, problem_options);
  PrintCosts(plan);
  if (robustness) PrintRobustness(problem, solution, *robustness);
  return code;
}

}  // namespace bitplan::cli
