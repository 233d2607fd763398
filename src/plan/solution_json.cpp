#include "bitplan/plan.h"
#include "bitplan/version.h"
#include "plan/json_writer.h"

namespace bitplan {

namespace {

plan::Json ChoiceNames(const Problem& problem, const std::vector<std::size_t>& choices) {
  plan::Json names = plan::Json::object();
  for (std::size_t i = 0; i < choices.size(); ++i)
    names[problem.groups[i].name] = problem.groups[i].choices[choices[i]].name;
  return names;
}

plan::Json SolutionJson(const Problem& problem, const Solution& solution) {
  const bool found = !solution.choices.empty();
  plan::Json json{
      {"schema", "bitplan.solution/1"},
      {"tool_version", Version()},
      {"status", ToString(solution.status)},
      {"method", solution.method},
      {"objective", found ? plan::NumberOrNull(solution.objective) : plan::Json()},
      {"bound", solution.status == SolutionStatus::Infeasible ? plan::Json() : plan::NumberOrNull(solution.bound)},
      {"gap", found ? plan::NumberOrNull(solution.gap) : plan::Json()},
      {"costs", solution.costs},
      {"budgets", problem.budgets},
      {"shadow_prices", solution.shadow_prices},
      {"seconds", solution.seconds},
      {"nodes", solution.nodes},
      {"choices", ChoiceNames(problem, solution.choices)}};
  if (solution.status == SolutionStatus::Infeasible) {
    const Infeasibility& why = solution.infeasibility;
    json["infeasibility"] = {{"budget", why.budget},
                             {"limit", why.limit},
                             {"least", why.least},
                             {"jointly", why.jointly},
                             {"cheapest", ChoiceNames(problem, why.cheapest)}};
  }
  return json;
}

}  // namespace

std::string ToJson(const Problem& problem, const Solution& solution) {
  return plan::JsonText(SolutionJson(problem, solution));
}

std::string ToJson(const Problem& problem, const Solution& solution, const Robustness& robustness) {
  plan::Json json = SolutionJson(problem, solution);
  plan::Json changes = plan::Json::object();
  for (std::size_t g = 0; g < problem.groups.size(); ++g) changes[problem.groups[g].name] = robustness.noise.changes[g];
  json["robustness"] = {
      {"runner_up", plan::Json()}, {"draws", robustness.noise.draws}, {"changes", std::move(changes)}};
  if (const auto& other = robustness.runner_up)
    json["robustness"]["runner_up"] = {
        {"objective", other->objective}, {"bound", other->bound}, {"choices", ChoiceNames(problem, other->choices)}};
  return plan::JsonText(json);
}

std::string ToJson(const Problem& problem, const ParetoFront& front) {
  plan::Json json{{"schema", "bitplan.front/1"},
                  {"tool_version", Version()},
                  {"complete", front.complete},
                  {"points", plan::Json::array()}};
  for (const auto& [budgets, solution] : front.points)
    json["points"].push_back({{"status", ToString(solution.status)},
                              {"objective", solution.objective},
                              {"bound", solution.bound},
                              {"gap", plan::NumberOrNull(solution.gap)},
                              {"costs", solution.costs},
                              {"budgets", budgets},
                              {"choices", ChoiceNames(problem, solution.choices)}});
  return plan::JsonText(json);
}

}  // namespace bitplan
