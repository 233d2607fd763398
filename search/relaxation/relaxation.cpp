#include "relaxation/relaxation.h"

#include <algorithm>
#include <cmath>

#include "relaxation/dual_simplex.h"

namespace bitplan::search {
namespace {

/// λ made feasible whatever the rounding.
std::vector<double> Feasible(const Core& core, std::vector<double> multipliers) {
  double total = 0;
  for (std::size_t i = 0; i < multipliers.size(); ++i) {
    if (!(multipliers[i] > 0) || !std::isfinite(multipliers[i])) multipliers[i] = 0;
    total += multipliers[i] * core.limits[i];
  }
  if (core.goal == Goal::PeakUse && total > 1)
    for (double& multiplier : multipliers) multiplier /= total;
  return multipliers;
}

/// Computes f + λ c, from it each group's least and what the other columns lie above it, and the bound. What rounding
/// may have added to the bound is taken off again: each term and each sum of n terms is off by at most n ε of its
/// magnitude.
void Evaluate(const Core& core, const Subproblem& part, Relaxation& relaxation) {
  auto& reduced = relaxation.reduced_loss;
  reduced = part.loss;
  double bound = part.settled_loss, magnitude = part.settled_loss;
  for (std::size_t i = 0; i < core.budgets(); ++i) {
    const double multiplier = relaxation.multipliers[i];
    if (multiplier == 0) continue;
    for (std::size_t c = 0; c < part.columns(); ++c) reduced[c] += multiplier * part.cost[i * part.columns() + c];
    bound -= multiplier * part.rest[i];
    magnitude += multiplier * (core.limits[i] + std::abs(part.rest[i]));
  }
  for (std::size_t g = 0; g < part.groups(); ++g) {
    const auto begin = reduced.begin() + part.first[g], end = reduced.begin() + part.first[g + 1];
    const double least = *std::min_element(begin, end);
    bound += least;
    magnitude += least;
    for (auto at = begin; at != end; ++at) *at -= least;
  }
  constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
  relaxation.bound =
      bound - kEpsilon * static_cast<double>(core.settled_groups + core.groups() + core.budgets() + 4) * magnitude;
}

}  // namespace

Relaxation SolveRelaxation(const Core& core, const Subproblem& part, const Basis& start, double cutoff,
                           Monitor& monitor) {
  Relaxation relaxation;
  DualSimplex simplex(core, part, start);
  relaxation.infeasible = simplex.Solve(cutoff, monitor);
  if (relaxation.infeasible) {
    relaxation.bound = kInfinity;
    return relaxation;
  }
  relaxation.multipliers = Feasible(core, simplex.multipliers());
  Evaluate(core, part, relaxation);
  relaxation.split = simplex.SplitShares();
  relaxation.leading = simplex.Leading();
  relaxation.basis = simplex.CurrentBasis();
  return relaxation;
}

}  // namespace bitplan::search
