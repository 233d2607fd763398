#include "plan_space.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>
#include <string>

#include "bitplan/search.h"
#include "coordinates.h"
#include "search/core.h"

namespace bitplan::agent {
namespace {

double Total(const std::vector<double>& costs) { return std::accumulate(costs.begin(), costs.end(), 0.0); }

/// Position of the row that is least under `measure`.
template <typename Measure>
std::size_t LeastRow(const SpaceGroup& group, const Measure& measure) {
  std::size_t least = 0;
  for (std::size_t r = 1; r < group.rows.size(); ++r)
    if (measure(group.rows[r]) < measure(group.rows[least])) least = r;
  return least;
}

/// Of the groups that `choices` are of.
std::optional<LayerShape> ShapeOf(const Problem& problem, const std::vector<std::size_t>& group_of,
                                  const std::vector<std::size_t>& choices) {
  std::optional<LayerShape> shape;
  for (const std::size_t choice : choices) {
    const std::optional<LayerShape>& own = problem.groups[group_of[choice]].shape;
    if (!own) return std::nullopt;
    if (shape)
      shape->parameters += own->parameters;
    else
      shape = own;
  }
  return shape;
}

}  // namespace

PlanSpace::PlanSpace(const Problem& problem, std::function<bool()> stop)
    : problem_(problem), linked_(search::LinkGroups(problem)), stop_(std::move(stop)) {
  for (const auto& [cost, budget] : problem_.budgets) limits_.push_back(LimitWithTolerance(budget > 0 ? 1 : 0));
  AddRows();
  AddLosses();
  AddCompletions();
}

void PlanSpace::AddRows() {
  std::vector<std::size_t> group_of, first;  // of the problem's choices in file order; and where each group's begin
  std::vector<std::vector<double>> costs;
  std::vector<Coordinates> coordinates;
  for (std::size_t g = 0; g < problem_.groups.size(); ++g) {
    first.push_back(group_of.size());
    std::vector<double> spent;
    for (const Choice& choice : problem_.groups[g].choices) {
      group_of.push_back(g);
      auto& of_choice = costs.emplace_back();
      for (const auto& [cost, budget] : problem_.budgets)
        of_choice.push_back(choice.costs.at(cost) / (budget > 0 ? budget : 1));
      const auto sum = [](double total, const auto& cost) { return total + cost.second; };
      spent.push_back(of_choice.empty() ? std::accumulate(choice.costs.begin(), choice.costs.end(), 0.0, sum)
                                        : Total(of_choice));
    }
    coordinates.push_back(CoordinatesOf(problem_.groups[g], spent));
  }
  auto together = linked_.parts.begin();
  for (const Group& group : linked_.problem.groups) {
    SpaceGroup& added = groups_.emplace_back();
    added.shape = ShapeOf(problem_, group_of, *together);
    for (const std::size_t choice : *together) {
      const auto& more = coordinates[group_of[choice]].coordinates;
      added.coordinates.insert(added.coordinates.end(), more.begin(), more.end());
    }
    for (std::size_t r = 0; r < group.choices.size(); ++r, ++together) {
      SpaceRow& row = added.rows.emplace_back();
      row.costs.resize(limits_.size());
      for (const std::size_t choice : *together) {
        const auto& values = coordinates[group_of[choice]].values[choice - first[group_of[choice]]];
        row.values.insert(row.values.end(), values.begin(), values.end());
        Add(row.costs, costs[choice]);
      }
    }
  }
}

void PlanSpace::AddLosses() {
  std::vector<std::size_t> rows;
  for (const SpaceGroup& group : groups_)
    rows.push_back(LeastRow(group, [](const SpaceRow& row) { return -Total(row.costs); }));
  const double reference = ObjectiveOf(problem_, ChoicesOf(rows));
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const std::size_t dearest = rows[g];
    for (rows[g] = 0; rows[g] < groups_[g].rows.size(); ++rows[g])
      groups_[g].rows[rows[g]].loss = ObjectiveOf(problem_, ChoicesOf(rows)) - reference;
    rows[g] = dearest;
  }
}

void PlanSpace::AddCompletions() {
  least_.assign(groups_.size() + 1, std::vector<double>(budgets()));
  for (std::size_t i = 0; i <= budgets(); ++i) {
    const auto measure = [&](const SpaceRow& row) {
      return i < budgets() ? row.costs[i] + 1e-6 * Total(row.costs) : Total(row.costs);
    };
    Completion& completion = completions_.emplace_back();
    completion.spent.assign(groups_.size() + 1, std::vector<double>(budgets()));
    for (const SpaceGroup& group : groups_) completion.rows.push_back(LeastRow(group, measure));
    for (std::size_t g = groups_.size(); g-- > 0;) {
      completion.spent[g] = groups_[g].rows[completion.rows[g]].costs;
      Add(completion.spent[g], completion.spent[g + 1]);
      if (i == budgets()) continue;
      const std::size_t cheapest = LeastRow(groups_[g], [&](const SpaceRow& row) { return row.costs[i]; });
      least_[g][i] = least_[g + 1][i] + groups_[g].rows[cheapest].costs[i];
    }
  }
}

/// Joint terms are never below 0.
double PlanSpace::LeastObjective() const {
  double sum = 0;
  for (const Group& group : linked_.problem.groups) {
    const auto lower = [](const Choice& a, const Choice& b) { return a.objective < b.objective; };
    sum += std::min_element(group.choices.begin(), group.choices.end(), lower)->objective;
  }
  return sum;
}

std::optional<std::vector<std::size_t>> PlanSpace::Complete(std::size_t group, const std::vector<double>& spent,
                                                            bool exactly) const {
  const auto fits = [&](const std::vector<double>& rest) {
    for (std::size_t i = 0; i < budgets(); ++i)
      if (spent[i] + rest[i] > limits_[i]) return false;
    return true;
  };
  if (!fits(least_[group])) return std::nullopt;
  for (const Completion& completion : completions_)
    if (fits(completion.spent[group]))
      return std::vector<std::size_t>(completion.rows.begin() + static_cast<std::ptrdiff_t>(group),
                                      completion.rows.end());
  return exactly ? SearchCompletion(group, spent) : std::nullopt;
}

std::optional<std::vector<std::size_t>> PlanSpace::SearchCompletion(std::size_t group,
                                                                    const std::vector<double>& spent) const {
  if (group == groups_.size()) return std::nullopt;
  Problem rest{.name = "rest", .objective = "none", .groups = {}, .budgets = {}};
  for (std::size_t i = 0; i < budgets(); ++i)
    rest.budgets[std::to_string(i)] = std::max(0.0, (limits_[i] - spent[i]) / LimitWithTolerance(1) * (1 - 1e-14));
  for (std::size_t g = group; g < groups_.size(); ++g) {
    Group& added = rest.groups.emplace_back(Group{std::to_string(g), {}, {}});
    for (std::size_t r = 0; r < groups_[g].rows.size(); ++r) {
      Choice& choice = added.choices.emplace_back(Choice{std::to_string(r), 0, {}});
      for (std::size_t i = 0; i < budgets(); ++i) choice.costs[std::to_string(i)] = groups_[g].rows[r].costs[i];
    }
  }
  const Solution found =
      Search(rest, {.method = "greedy", .time_limit_seconds = std::numeric_limits<double>::infinity(), .stop = stop_});
  if (found.choices.empty()) return std::nullopt;
  return found.choices;
}

std::vector<std::size_t> PlanSpace::ChoicesOf(const std::vector<std::size_t>& rows) const {
  return linked_.Expand(problem_, rows);
}

}  // namespace bitplan::agent
