#include "tree/budget_lattice.h"

#include <algorithm>
#include <cmath>

#include "tuning.h"

namespace bitplan::search {
namespace {

using namespace tuning::lattice;

/// Largest unit that divides both, by Euclid's algorithm with nearest remainders.
double CommonUnit(double a, double b, double zero) {
  while (b > zero) {
    const double remainder = std::abs(a - std::round(a / b) * b);
    a = b;
    b = remainder;
  }
  return a;
}

double LeastOf(const Subproblem& part, const double* figures, std::size_t group) {
  return *std::min_element(figures + part.first[group], figures + part.first[group + 1]);
}

/// Unit of the differences between the figures of a group, over all free groups; 0 when there is no useful one.
double UnitOf(const Subproblem& part, const double* figures, double limit) {
  double unit = 0;
  for (std::size_t g = 0; g < part.groups(); ++g) {
    const double least = LeastOf(part, figures, g);
    for (Index c = part.first[g]; c < part.first[g + 1]; ++c) {
      const double difference = figures[c] - least;
      if (difference <= kZero * limit) continue;
      unit = unit == 0 ? difference : CommonUnit(difference, unit, kZero * limit);
      if (unit < kLeastUnit * limit) return 0;
    }
  }
  return unit;
}

/// What free groups can sum up to at most below `rest`, of figures that are given per column; `rest` itself when there
/// is no useful unit. `error`: of the sums.
double LargestSum(const Subproblem& part, const double* figures, double rest, double limit, double error) {
  const double unit = UnitOf(part, figures, limit);
  if (unit == 0) return rest;
  double base = 0;
  for (std::size_t g = 0; g < part.groups(); ++g) {
    const double least = LeastOf(part, figures, g);
    double largest = 0;
    for (Index c = part.first[g]; c < part.first[g + 1]; ++c) {
      const double difference = figures[c] - least;
      largest = std::max(largest, std::abs(difference - std::round(difference / unit) * unit));
    }
    base += least;
    error += largest;
  }
  if (error > kMostError * unit) return rest;
  const double tight = base + std::floor((rest - base + error) / unit) * unit + error;
  return tight < rest - kLeastGain * unit ? tight : rest;
}

double RoundingOfSums(const Core& core) { return 4e-16 * static_cast<double>(core.settled_groups + core.groups() + 1); }

}  // namespace

bool TightenBudgets(const Core& core, Subproblem& part) {
  if (core.goal == Goal::PeakUse) return false;
  bool changed = false;
  for (std::size_t i = 0; i < core.budgets(); ++i) {
    const double error = RoundingOfSums(core) * (core.limits[i] + std::abs(part.rest[i]));
    const double tight = LargestSum(part, part.cost.data() + i * part.columns(), part.rest[i], core.limits[i], error);
    changed = changed || tight < part.rest[i];
    part.rest[i] = tight;
  }
  return changed;
}

double LowerCutoff(const Core& core, const Subproblem& part, double cutoff) {
  if (core.goal == Goal::PeakUse || part.groups() == 0 || !(std::isfinite(cutoff) && cutoff > 0)) return cutoff;
  const double error = RoundingOfSums(core) * 2 * cutoff;
  return part.settled_loss + LargestSum(part, part.loss.data(), cutoff - part.settled_loss, cutoff, error);
}

}  // namespace bitplan::search
