#include "separable_search.h"

#include <utility>

#include "heuristics/start.h"
#include "relaxation/rounding.h"
#include "search/core.h"
#include "search/outcome.h"
#include "tree/exact.h"
#include "tree/feasibility.h"

namespace bitplan::search {
namespace {

/// A problem as the search sees it, with its relaxation.
struct Relaxed {
  Relaxed(const Problem& of, Monitor& monitor)
      : problem(of), core(BuildCore(of, Goal::Loss)), root(SolveRoot(core, monitor)) {}

  double InProblem(double bound) const { return bound * core.loss_scale + core.loss_shift; }

  Start FromGreedy(Monitor& monitor) const { return FindStart(problem, core, root, InProblem(root.bound), monitor); }

  /// `nodes`: that finding a start took.
  Solution Tell(TreeResult result, std::int64_t nodes, double gap) const {
    Outcome outcome{result.best.choices,     ObjectiveOf(problem, result.best.choices),
                    InProblem(result.bound), result.nodes + nodes,
                    result.complete,         core.PricesInProblem(root.relaxation.multipliers, core.loss_scale)};
    return Describe(problem, std::move(outcome), gap);
  }

  const Problem& problem;
  const Core core;
  const Node root;
};

}  // namespace

Solution SolveGreedily(const Problem& problem, const SearchOptions& options, Monitor& monitor) {
  const Relaxed relaxed(problem, monitor);
  Start start = relaxed.FromGreedy(monitor);
  if (start.without) return *start.without;
  TreeResult result;
  result.bound = relaxed.root.bound;
  result.best = std::move(start.plan);
  return relaxed.Tell(std::move(result), start.nodes, options.gap);
}

Solution SolveExactly(const Problem& problem, const SearchOptions& options, Monitor& monitor) {
  const Relaxed relaxed(problem, monitor);
  Start start;
  if (!relaxed.root.relaxation.infeasible)  // quicker than the greedy search
    start.plan.Offer(relaxed.core, Round(relaxed.core, relaxed.root.part, relaxed.root.relaxation, kInfinity));
  if (start.plan.choices.empty()) start = relaxed.FromGreedy(monitor);
  if (start.without) return *start.without;
  return relaxed.Tell(SearchExactly(relaxed.core, relaxed.root, GapToReach(options), std::move(start.plan), monitor),
                      start.nodes, options.gap);
}

}  // namespace bitplan::search
