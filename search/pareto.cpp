#include "bitplan/pareto.h"

#include <fmt/format.h>

#include <algorithm>

#include "bitplan/error.h"
#include "deadline.h"
#include "search/core.h"
#include "text/shortened.h"
#include "tuning.h"

namespace bitplan {
namespace {

/// The largest budget that a sum of `spent` is over.
double JustBelow(double spent) { return spent * (1 - search::tuning::kLeastStep) / LimitWithTolerance(1); }

std::vector<std::string> CostNames(const Problem& problem) {
  std::vector<std::string> names;
  for (const auto& [name, value] : problem.groups[0].choices[0].costs) names.push_back(name);
  return names;
}

class Front {
 public:
  Front(const Problem& problem, const ParetoOptions& options)
      : problem_(problem), axes_(options.axes), deadline_(options.search) {}

  ParetoFront Find() {
    front_.complete = true;
    if (axes_[0].levels == 0)
      Descend();
    else
      SolveGrid();
    KeepUndominated();
    return std::move(front_);
  }

 private:
  /// Solves under the budgets; false when there is no plan, or the time was up.
  bool Solve(const std::map<std::string, double>& budgets) {
    if (deadline_.Passed()) return front_.complete = false;
    Problem tighter = problem_;
    tighter.budgets = budgets;
    Solution solution = Search(tighter, deadline_.Rest());
    if (solution.status == SolutionStatus::Feasible || solution.status == SolutionStatus::Unknown)
      front_.complete = false;
    if (solution.choices.empty()) return false;
    for (const ParetoAxis& axis : axes_) tighter.budgets.try_emplace(axis.cost, solution.costs.at(axis.cost));
    front_.points.push_back({std::move(tighter.budgets), std::move(solution)});
    return true;
  }

  void Descend() {
    const std::string& cost = axes_[0].cost;
    std::map<std::string, double> budgets = problem_.budgets;
    while (Solve(budgets)) {
      const double spent = front_.points.back().solution.costs.at(cost);
      if (spent <= 0) return;
      budgets[cost] = JustBelow(spent);
    }
  }

  /// The least that any plan within the other budgets spends of `cost`; a bound on it when the time is up before that
  /// is known.
  double LeastSpent(const std::string& cost) const {
    Problem cheapest = problem_;
    cheapest.joint.reset();
    cheapest.prices.clear();
    for (const ParetoAxis& axis : axes_) cheapest.budgets.erase(axis.cost);
    for (Group& group : cheapest.groups)
      for (Choice& choice : group.choices) choice.objective = choice.costs.at(cost);
    SearchOptions options = deadline_.Rest();
    options.method = ProvingMethod(false);
    return Search(cheapest, options).bound;
  }

  /// Budgets of an axis, from the loosest down.
  std::vector<double> LevelsOf(const ParetoAxis& axis, const Solution& loosest) const {
    const auto budget = problem_.budgets.find(axis.cost);
    const double most = budget != problem_.budgets.end() ? budget->second : loosest.costs.at(axis.cost);
    const double least = std::min(LeastSpent(axis.cost), most);
    std::vector<double> levels;
    for (std::size_t i = 0; i < axis.levels; ++i)
      levels.push_back(most - (most - least) * static_cast<double>(i) / static_cast<double>(axis.levels - 1));
    return levels;
  }

  void SolveGrid() {
    if (!Solve(problem_.budgets)) return;
    std::vector<std::map<std::string, double>> cells{problem_.budgets};
    for (const ParetoAxis& axis : axes_) {
      std::vector<std::map<std::string, double>> finer;
      for (const double level : LevelsOf(axis, front_.points[0].solution))
        for (auto cell : cells) {
          cell[axis.cost] = level;
          finer.push_back(std::move(cell));
        }
      cells = std::move(finer);
    }
    for (const auto& cell : cells)
      if (!IsKnown(cell)) Solve(cell);
  }

  static bool Within(const std::map<std::string, double>& tight, const std::map<std::string, double>& loose) {
    return std::all_of(loose.begin(), loose.end(), [&](const auto& budget) {
      const auto own = tight.find(budget.first);
      return own != tight.end() && own->second <= budget.second;
    });
  }

  /// Whether a plan that was proven the best under looser budgets is within these too.
  bool IsKnown(const std::map<std::string, double>& budgets) const {
    return std::any_of(front_.points.begin(), front_.points.end(), [&](const ParetoPoint& point) {
      if (point.solution.status != SolutionStatus::Optimal || !Within(budgets, point.budgets)) return false;
      return std::all_of(axes_.begin(), axes_.end(), [&](const ParetoAxis& axis) {
        return point.solution.costs.at(axis.cost) <= LimitWithTolerance(budgets.at(axis.cost));
      });
    });
  }

  std::vector<double> Spent(const ParetoPoint& point) const {
    std::vector<double> spent;
    for (const ParetoAxis& axis : axes_) spent.push_back(point.solution.costs.at(axis.cost));
    return spent;
  }

  /// Less or equal in all, less in some, or the same and found before.
  bool Dominates(const ParetoPoint& a, const ParetoPoint& b) const {
    bool less = a.solution.objective < b.solution.objective;
    if (b.solution.objective < a.solution.objective) return false;
    for (const ParetoAxis& axis : axes_) {
      const double spent = a.solution.costs.at(axis.cost), other = b.solution.costs.at(axis.cost);
      if (other < spent) return false;
      less = less || spent < other;
    }
    return less || &a < &b;
  }

  void KeepUndominated() {
    std::vector<ParetoPoint> kept;
    for (const ParetoPoint& point : front_.points)
      if (std::none_of(front_.points.begin(), front_.points.end(),
                       [&](const ParetoPoint& other) { return &other != &point && Dominates(other, point); }))
        kept.push_back(point);
    for (ParetoPoint& point : kept)
      for (const ParetoPoint& loose : front_.points)
        if (Within(point.budgets, loose.budgets)) RaiseBound(point.solution, loose.solution.bound);
    std::stable_sort(kept.begin(), kept.end(),
                     [&](const ParetoPoint& a, const ParetoPoint& b) { return Spent(a) < Spent(b); });
    front_.points = std::move(kept);
  }

  static void RaiseBound(Solution& solution, double bound) {
    bound = std::min(bound, solution.objective);
    if (bound <= solution.bound) return;
    solution.gap *= (solution.objective - bound) / (solution.objective - solution.bound);
    solution.bound = bound;
  }

  const Problem& problem_;
  const std::vector<ParetoAxis>& axes_;
  search::Deadline deadline_;
  ParetoFront front_;
};

}  // namespace

void ParetoOptions::Validate(const Problem& problem) const {
  if (axes.empty() || axes.size() > 2)
    throw Error(fmt::format("a front along {} costs; takes one or two", axes.size()));
  if (axes.size() == 2 && axes[0].cost == axes[1].cost)
    throw Error(fmt::format("a grid of '{}' with itself", axes[0].cost));
  for (const ParetoAxis& axis : axes) {
    if (!problem.groups[0].choices[0].costs.contains(axis.cost))
      throw Error(fmt::format("a front along '{}', a cost that no choice has; known costs: {}", axis.cost,
                              text::Shortened(CostNames(problem))));
    if (axis.levels == 1 || (axis.levels == 0 && axes.size() == 2))
      throw Error(fmt::format("{} levels of '{}'; takes 2 or more{}", axis.levels, axis.cost,
                              axes.size() == 1 ? ", or 0 for every plan" : " of each cost of a grid"));
  }
}

ParetoFront FindParetoFront(const Problem& problem, const ParetoOptions& options) {
  problem.Validate();
  options.Validate(problem);
  return Front(problem, options).Find();
}

}  // namespace bitplan
