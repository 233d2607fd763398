#include "heuristics/start.h"

#include "heuristics/exchange.h"
#include "heuristics/greedy.h"
#include "search/outcome.h"
#include "tree/feasibility.h"
#include "tree/infeasibility.h"

namespace bitplan::search {

Start FindStart(const Problem& problem, const Core& core, const Node& root, double bound, Monitor& monitor) {
  Start start;
  if (!root.relaxation.infeasible) start.plan = SearchGreedily(core, root.relaxation.multipliers, monitor);
  if (!start.plan.choices.empty()) return start;
  const Feasibility found = FindFeasiblePlan(core, root, monitor);
  start.nodes = found.nodes;
  if (found.proven_infeasible) {
    const Explanation explanation = ExplainJointInfeasibility(problem, monitor);
    start.without = Infeasible(explanation.why, found.nodes + explanation.nodes);
  } else if (found.plan.empty()) {
    start.without = Unknown(bound, found.nodes);
  } else {
    start.plan.Offer(core, found.plan);
    start.plan.Offer(core, Exchange(core, found.plan, root.relaxation.multipliers, monitor));
  }
  return start;
}

}  // namespace bitplan::search
