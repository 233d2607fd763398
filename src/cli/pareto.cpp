#include "bitplan/pareto.h"

#include <fmt/format.h>

#include <map>

#include "bitplan/error.h"
#include "bitplan/files.h"
#include "bitplan/plan.h"
#include "bitplan/plot.h"
#include "command.h"
#include "interrupt.h"
#include "output_path.h"
#include "report.h"
#include "search_options.h"
#include "searched.h"
#include "tell.h"
#include "values.h"

namespace bitplan::cli {

namespace {

/// COST or COST=LEVELS.
ParetoAxis ParseAxis(const std::string& text) {
  const auto equals = text.find('=');
  ParetoAxis axis{text.substr(0, equals)};
  if (equals == std::string::npos) return axis;
  const std::vector<int> levels = ParseIntegers("along", text.substr(equals + 1));
  if (levels.size() != 1 || levels[0] < 2)
    throw Error(fmt::format("--along {}: expected COST or COST=LEVELS, 2 or more", text));
  axis.levels = static_cast<std::size_t>(levels[0]);
  return axis;
}

std::string CsvOf(const Problem& problem, const ParetoFront& front) {
  std::vector<std::string> header{"objective", "bound", "gap", "status"};
  for (const auto& [cost, value] : problem.groups[0].choices[0].costs) header.push_back(cost);
  for (const Group& group : problem.groups) header.push_back(group.name);
  std::vector<std::vector<Cell>> rows;
  for (const auto& [budgets, solution] : front.points) {
    std::vector<Cell>& row = rows.emplace_back();
    row = {solution.objective, solution.bound, solution.gap, std::string(ToString(solution.status))};
    for (const auto& [cost, value] : solution.costs) row.emplace_back(value);
    for (std::size_t g = 0; g < problem.groups.size(); ++g)
      row.emplace_back(problem.groups[g].choices[solution.choices[g]].name);
  }
  return ToCsv(header, rows);
}

/// The objective over the first axis; for a grid a step line for each level of the second, of the plans within it.
std::string SvgOf(const Problem& problem, const ParetoFront& front, const std::vector<ParetoAxis>& axes) {
  std::map<double, Series> steps;  // by level of the second axis
  for (const auto& [budgets, solution] : front.points)
    steps.try_emplace(axes.size() == 2 ? budgets.at(axes[1].cost) : 0);
  bool gaps = false;
  Series bounds{"proven bound", {}, {}};
  for (const auto& [budgets, solution] : front.points) {
    const double x = solution.costs.at(axes[0].cost);
    for (auto& [level, series] : steps) {
      if (axes.size() == 2 && solution.costs.at(axes[1].cost) > LimitWithTolerance(level)) continue;
      if (!series.y.empty() && solution.objective >= series.y.back()) continue;
      series.x.push_back(x);
      series.y.push_back(solution.objective);
    }
    bounds.x.push_back(x);
    bounds.y.push_back(solution.bound);
    gaps = gaps || solution.gap > 0;
  }
  Chart chart{.title = problem.name, .x_label = axes[0].cost, .y_label = problem.objective, .series = {}};
  for (auto& [level, series] : steps) {
    if (series.x.empty()) continue;
    series.name = axes.size() == 2 ? fmt::format("{} ≤ {:.4g}", axes[1].cost, level) : "best plan";
    series.kind = SeriesKind::Step;
    chart.series.push_back(std::move(series));
  }
  if (gaps) chart.series.push_back(std::move(bounds));
  return ToSvg(chart);
}

void PrintFront(const ParetoFront& front, const std::vector<ParetoAxis>& axes) {
  std::vector<std::string> header;
  for (const ParetoAxis& axis : axes) header.push_back(axis.cost);
  for (const char* name : {"objective", "bound", "gap"}) header.emplace_back(name);
  Table table(header);
  for (const auto& [budgets, solution] : front.points) {
    std::vector<std::string> row;
    for (const ParetoAxis& axis : axes) row.push_back(fmt::format("{:.6g}", solution.costs.at(axis.cost)));
    for (const double value : {solution.objective, solution.bound}) row.push_back(fmt::format("{:.6g}", value));
    row.push_back(fmt::format("{:.3g}%", 100 * solution.gap));
    table.Add(row);
  }
  fmt::print("{}\n{} plans, {}\n", table.Text(), front.points.size(),
             front.complete ? "all proven" : "not all: the time was up, or a gap is left");
}

}  // namespace

int SearchFront(const Arguments& arguments) {
  CommandLine line(
      "pareto sensitivity.json --along weight_size_bytes [--along bops=8] --csv front.csv --svg front.svg [options]",
      "Finds every plan that no other beats in both the predicted loss and the cost, with proven bounds; along two "
      "costs those of a grid of budgets.");
  AddSearchedOptions(line, SearchRegistry());
  line.Add({
      {"along", Texts("COST[=LEVELS]"),
       "the cost whose budget is moved, wherever the best plan changes or at so many levels; twice for a grid, with "
       "levels"},
      {"csv", WrittenFile(), "write the plans as a table"},
      {"svg", WrittenFile(), "draw the front"},
  });
  if (!line.Parse(arguments)) return kDone;
  ParetoOptions options;
  options.search = ReadSearchOptions(line);
  options.search.progress = ShowBar();
  options.search.stop = WasInterrupted;
  for (const std::string& text : line.List("along")) options.axes.push_back(ParseAxis(text));
  if (options.axes.empty()) throw Error("--along is missing: which cost's budget is to be moved?");
  for (const char* file : {"csv", "svg"})
    if (line.Has(file)) RequireWritable(line.Get<std::string>(file));
  const Problem problem = ReadSearched(line).problem;
  const ParetoFront front = FindParetoFront(problem, options);
  const bool tables = WriteJson(line, ToJson(problem, front));
  if (front.points.empty()) {
    Tell(fmt::format("no plan {}", front.complete ? "is within the budgets" : "was found in time"));
    return WasInterrupted() ? kInterrupted : kNoPlan;
  }
  if (line.Has("csv")) WriteFile(line.Get<std::string>("csv"), CsvOf(problem, front));
  if (line.Has("svg")) WriteFile(line.Get<std::string>("svg"), SvgOf(problem, front, options.axes));
  if (tables) PrintFront(front, options.axes);
  return WasInterrupted() ? kInterrupted : kDone;
}

}  // namespace bitplan::cli
