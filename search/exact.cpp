#include "search/exact.h"

#include <algorithm>
#include <cmath>

namespace bitplan::search {
namespace {

constexpr double kFirstCutoff = 1.0 / 32;  // of the way from the root's bound to the plan at hand
constexpr double kCutoffGrowth = 1.5;

}  // namespace

/// Branch and bound under cutoffs that rise until a plan lies below. A tight cutoff rules out far more columns, which
/// in turn coarsens the budgets' units; a tree that finds nothing has raised the bound to its cutoff.
TreeResult SearchExactly(const Core& core, const Node& root, double gap, Incumbent start, Monitor& monitor) {
  TreeResult result;
  result.best = std::move(start);
  result.bound = std::min(root.bound, result.best.value);
  double distance = kFirstCutoff * (result.best.value - root.bound);
  while (true) {
    const double cutoff = root.bound + distance;
    TreeResult tree =
        BranchAndBound(core, root, {.gap = gap, .cutoff = cutoff, .proven = result.bound}, result.best, monitor);
    result.best = std::move(tree.best);
    result.bound = std::min(std::max(result.bound, tree.bound), result.best.value);
    result.nodes += tree.nodes;
    if (!tree.complete) return result;
    if (cutoff >= result.best.Cutoff(core, gap)) break;
    distance *= kCutoffGrowth;
  }
  result.complete = true;
  return result;
}

}  // namespace bitplan::search
