#include "searched.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fnmatch.h>

#include <algorithm>
#include <sstream>

#include "bitplan/error.h"
#include "cost_options.h"
#include "search_options.h"
#include "target_options.h"
#include "values.h"

namespace bitplan::cli {

namespace {

bool HaveOneInCommon(const std::vector<std::vector<std::string>>& a, const std::vector<std::vector<std::string>>& b) {
  return std::any_of(a.begin(), a.end(),
                     [&](const auto& row) { return std::find(b.begin(), b.end(), row) != b.end(); });
}

/// GROUP=CHOICE[,CHOICE …]; GROUP may hold wildcards.
void Keep(const std::string& text, Problem& problem) {
  const auto equals = text.rfind('=');
  if (equals == std::string::npos)
    throw Error(fmt::format(
        "--keep {}: expected GROUP=CHOICE, both as in the problem file; several choices with commas", text));
  Rule rule{{""}, {}};
  std::istringstream names(text.substr(equals + 1));
  for (std::string name; std::getline(names, name, ',');) rule.allowed.push_back({name});
  bool found = false;
  for (const Group& group : problem.groups) {
    if (fnmatch(text.substr(0, equals).c_str(), group.name.c_str(), 0) != 0) continue;
    found = true;
    for (const auto& row : rule.allowed)
      if (std::none_of(group.choices.begin(), group.choices.end(),
                       [&](const Choice& choice) { return choice.name == row[0]; }))
        throw Error(fmt::format("--keep {}: group '{}' has no choice '{}'", text, group.name, row[0]));
    rule.groups[0] = group.name;
    for (const Rule& earlier : problem.rules)
      if (earlier.groups == rule.groups && !HaveOneInCommon(earlier.allowed, rule.allowed))
        throw Error(
            fmt::format("--keep {}: contradicts an earlier --keep, or a rule of the problem, which leave group "
                        "'{}' other choices; leave one of them out",
                        text, group.name));
    problem.rules.push_back(rule);
  }
  if (!found) throw Error(fmt::format("--keep {}: the problem has no group of that name", text));
}

}  // namespace

void AddSearchedOptions(CommandLine& line, const SearchRegistry& searches) {
  line.AddPositional("sensitivity.json", ReadFileAndArrays(), "from bitplan analyze");
  line.Add({{"problem", ReadFileAndArrays(),
             "search this bitplan.problem/1 file instead, which needs no model; --keep GROUP=CHOICE,CHOICE pins its "
             "groups"}});
  AddSearchOptions(line, searches);
  AddCostOptions(line);
  AddTargetOption(line,
                  "leave each layer the widths that a device's compiler offers, in a sensitivity analyzed for it");
}

Searched ReadSearched(const CommandLine& line) {
  Searched searched;
  if (line.Has("problem")) {
    for (const char* option : {"widths", "measure", "costs", "target", "no-shrink", "resamples"})
      if (line.Has(option) && !line.IsDefault(option))
        throw Error(
            fmt::format("--{} is for sensitivity files; a problem file has its choices and figures already", option));
    searched.problem = ReadProblem(line.Get<std::string>("problem"));
    if (line.Get<bool>("joint") && !searched.problem.joint)
      throw Error("--joint: the problem has no joint term (key joint), and without one its choices' objectives add up");
    for (const auto& [cost, value] : ParsePerCost("budget", line.List("budget")))
      searched.problem.budgets[cost] = value;
    for (const auto& [cost, value] : ParsePerCost("price", line.List("price"))) searched.problem.prices[cost] = value;
    for (const std::string& text : line.List("keep")) Keep(text, searched.problem);
  } else {
    ProblemOptions& options = searched.options = ReadProblemOptions(line);
    searched.sensitivity = ReadSensitivity(line.Required("sensitivity.json"));
    AddCosts(*searched.sensitivity, ReadCostOptions(line, NamesOf(searched.sensitivity->layers)));
    if (const auto target = ReadTargetOption(line))
      options.pins = ApplyTarget(*searched.sensitivity, *target, options.pins);
    searched.problem = MakeProblem(*searched.sensitivity, options);
  }
  searched.problem.Validate();
  return searched;
}

}  // namespace bitplan::cli
