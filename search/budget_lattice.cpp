#include "search/budget_lattice.h"

#include <algorithm>
#include <cmath>

namespace bitplan::search {
namespace {

constexpr double kLeastUnit = 1e-7;  // of a budget: finer units gain nothing
constexpr double kZero = 1e-11;      // of a budget: remainders below are rounding

/// Largest unit that divides both, by Euclid's algorithm with nearest remainders.
double CommonUnit(double a, double b, double zero) {
  while (b > zero) {
    const double remainder = std::abs(a - std::round(a / b) * b);
    a = b;
    b = remainder;
  }
  return a;
}

double LeastCost(const Subproblem& part, std::size_t budget, std::size_t group) {
  const double* costs = &part.cost[budget * part.columns()];
  return *std::min_element(costs + part.first[group], costs + part.first[group + 1]);
}

/// Unit of the differences between the costs of a group, over all free groups; 0 when there is no useful one.
double UnitOf(const Core& core, const Subproblem& part, std::size_t budget) {
  const double limit = core.limits[budget];
  double unit = 0;
  for (std::size_t g = 0; g < part.groups(); ++g) {
    const double least = LeastCost(part, budget, g);
    for (Index c = part.first[g]; c < part.first[g + 1]; ++c) {
      const double difference = part.cost[budget * part.columns() + c] - least;
      if (difference <= kZero * limit) continue;
      unit = unit == 0 ? difference : CommonUnit(difference, unit, kZero * limit);
      if (unit < kLeastUnit * limit) return 0;
    }
  }
  return unit;
}

}  // namespace

bool TightenBudgets(const Core& core, Subproblem& part) {
  if (core.goal == Goal::PeakUse) return false;
  bool changed = false;
  for (std::size_t i = 0; i < core.budgets(); ++i) {
    const double unit = UnitOf(core, part, i);
    if (unit == 0) continue;
    const double* costs = &part.cost[i * part.columns()];
    double base = 0;
    double error = 4e-16 * static_cast<double>(core.settled_groups + core.groups() + 1) *
                   (core.limits[i] + std::abs(part.rest[i]));
    for (std::size_t g = 0; g < part.groups(); ++g) {
      const double least = LeastCost(part, i, g);
      double largest = 0;
      for (Index c = part.first[g]; c < part.first[g + 1]; ++c) {
        const double difference = costs[c] - least;
        largest = std::max(largest, std::abs(difference - std::round(difference / unit) * unit));
      }
      base += least;
      error += largest;
    }
    if (error > 1e-3 * unit) continue;
    const double tight = base + std::floor((part.rest[i] - base + error) / unit) * unit + error;
    if (tight >= part.rest[i] - 1e-6 * unit) continue;
    part.rest[i] = tight;
    changed = true;
  }
  return changed;
}

}  // namespace bitplan::search
