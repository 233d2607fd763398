#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "bitplan/problem.h"

namespace bitplan::search {

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// What a plan is judged by.
enum class Goal {
  Loss,     ///< its summed objective; plans over a budget do not count
  PeakUse,  ///< the largest share of a budget that it spends, max_i cost_i / budget_i; the objective plays no part
};

/// Whether choices that are beaten in every own figure are left out; with a joint term they may still be worth taking.
enum class Dominated { LeftOut, Kept };

using Index = std::uint32_t;

/// A plan as the algorithms have it: one column of the Core for each group.
using CorePlan = std::vector<Index>;

/// A problem as the algorithms see it: numbers only. A column is a choice that can be part of a best plan; the columns
/// of a group are contiguous. Costs are scaled by powers of two, so that sums over a plan round exactly as they do in
/// the problem itself; objectives too, after each group's least has been taken off.
struct Core {
  Goal goal = Goal::Loss;
  std::vector<double> limits;  ///< of the budgets that can bind, tolerance included
  std::vector<std::string> budget_names;
  std::vector<double> cost_scale;  ///< per budget: cost in the problem = cost · scale
  std::vector<Index> first;        ///< groups + 1: where the columns of a group begin
  std::vector<double> loss;        ///< per column, ≥ 0; 0 throughout for Goal::PeakUse
  std::vector<double> cost;        ///< [budget, column], ≥ 0
  std::vector<Index> group;        ///< per column
  std::vector<Index> choice;       ///< per column: index in the problem's group
  double settled_loss = 0;         ///< of groups that are settled for good and no longer part (see ReducedCore), as are
  std::vector<double> settled_cost;  ///< per budget, what they spend, and
  std::size_t settled_groups = 0;    ///< how many they are
  double loss_scale = 1;             ///< objective = loss · loss_scale + loss_shift
  double loss_shift = 0;

  std::size_t budgets() const { return limits.size(); }
  std::size_t groups() const { return first.size() - 1; }
  std::size_t columns() const { return loss.size(); }
  double Cost(std::size_t budget, std::size_t column) const { return cost[budget * columns() + column]; }

  /// What `plan` is worth under the goal, least is best; infinite when the plan does not count.
  double Value(const CorePlan& plan) const;

  /// Multipliers of the budgets, for an objective that counts in `unit`, as prices in the problem's own units, by the
  /// budgets' names.
  std::map<std::string, double> PricesInProblem(const std::vector<double>& multipliers, double unit) const;
};

/// The core of `problem` under `goal`. Choices that some other choice of the group beats or equals in the objective and
/// in every budgeted cost are left out unless `dominated` keeps them, and so are choices that cannot be paid for and
/// budgets that every plan meets. Needs: each budget can be met on its own.
Core BuildCore(const Problem& problem, Goal goal, Dominated dominated = Dominated::LeftOut);

/// What `choice` costs, per budget of `problem`.
std::vector<double> BudgetedCosts(const Problem& problem, const Choice& choice);

/// Indices of the problem's choices, one a group.
std::vector<std::size_t> ChoicesOf(const Core& core, const CorePlan& plan);

/// The plan that takes these choices, one a group, all of which the core has.
CorePlan PlanOf(const Core& core, const std::vector<std::size_t>& choices);

}  // namespace bitplan::search
