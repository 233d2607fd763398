#include "tree/feasibility.h"

#include <algorithm>

#include "tree/budget_lattice.h"
#include "tuning.h"

namespace bitplan::search {
namespace {

/// The same columns, judged by the peak use of limits that are lowered to what can be used of them.
Core PeakUseOf(const Core& core) {
  Subproblem tight = WholeOf(core);
  const std::vector<double> before = tight.rest;
  TightenBudgets(core, tight);
  Core peak = core;
  peak.goal = Goal::PeakUse;
  peak.loss.assign(core.columns(), 0.0);
  peak.loss_scale = 1;
  peak.loss_shift = 0;
  for (std::size_t i = 0; i < core.budgets(); ++i) peak.limits[i] -= before[i] - tight.rest[i];
  return peak;
}

}  // namespace

Node SolveRoot(const Core& core, Monitor& monitor) {
  Subproblem whole = WholeOf(core);
  Relaxation relaxation = SolveRelaxation(core, whole, {}, kInfinity, monitor);
  return Node(std::move(whole), std::move(relaxation), -kInfinity);
}

Feasibility FindFeasiblePlan(const Core& core, const Node& root, Monitor& monitor) {
  if (root.relaxation.infeasible) return {.plan = {}, .proven_infeasible = true};
  const Core peak = PeakUseOf(core);
  // A limit that nothing fits under can be lowered to zero or less.
  if (std::any_of(peak.limits.begin(), peak.limits.end(), [](double limit) { return limit <= 0; }))
    return {.plan = {}, .proven_infeasible = true};
  const Node start = SolveRoot(peak, monitor);
  const TreeOptions options{.cutoff = 1 + tuning::kRounding, .target = 1, .stage = "feasibility"};
  const TreeResult tree = BranchAndBound(peak, start, options, {}, monitor);
  if (tree.best.value > 1) return {.plan = {}, .proven_infeasible = tree.complete, .nodes = tree.nodes};
  CorePlan plan = PlanOf(core, tree.best.choices);
  return {.plan = core.Value(plan) < kInfinity ? plan : CorePlan{}, .proven_infeasible = false, .nodes = tree.nodes};
}

}  // namespace bitplan::search
