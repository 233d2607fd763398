#include "search/exact.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "search/greedy.h"

namespace bitplan::search {
namespace {

constexpr double kFirstCutoff = 1.0 / 32;  // of the way from the root's bound to the plan at hand
constexpr double kCutoffGrowth = 1.5;
constexpr std::int64_t kNodesBeforeGreedy = 50;  // most problems are done by then; the greedy search costs as much

/// The trees of one search, put together.
class Trees {
 public:
  Trees(const Core& core, const Node& root, double gap, Incumbent start, Monitor& monitor)
      : core_(core), root_(root), gap_(gap), monitor_(monitor) {
    result_.best = std::move(start);
    result_.bound = std::min(root.bound, result_.best.value);
  }

  /// Whether the tree ended by itself.
  bool Run(double cutoff, std::int64_t most_nodes) {
    TreeOptions options{.gap = gap_, .cutoff = cutoff, .proven = result_.bound};
    options.most_nodes = most_nodes;
    TreeResult tree = BranchAndBound(core_, root_, options, result_.best, monitor_);
    result_.best = std::move(tree.best);
    result_.bound = std::min(std::max(result_.bound, tree.bound), result_.best.value);
    result_.nodes += tree.nodes;
    return tree.complete;
  }

  /// Whether `plan` is better than what there is.
  bool Offer(Incumbent plan) {
    const bool better = plan.value < result_.best.value;
    if (better) result_.best = std::move(plan);
    return better;
  }

  double FirstCutoff() const { return root_.bound + kFirstCutoff * (result_.best.value - root_.bound); }
  double NextCutoff(double cutoff) const { return root_.bound + kCutoffGrowth * (cutoff - root_.bound); }
  bool Prove(double cutoff) const { return cutoff >= result_.best.Cutoff(core_, gap_); }

  TreeResult Take(bool complete) {
    result_.complete = complete;
    return std::move(result_);
  }

 private:
  const Core& core_;
  const Node& root_;
  double gap_;
  Monitor& monitor_;
  TreeResult result_;
};

}  // namespace

/// Branch and bound under cutoffs that rise until a plan lies below. A tight cutoff rules out far more columns, which
/// in turn coarsens the budgets' units; a tree that finds nothing has raised the bound to its cutoff. Where the first
/// nodes do not do, the greedy search's plan is worth its time: cutoffs begin again below it.
TreeResult SearchExactly(const Core& core, const Node& root, double gap, Incumbent start, Monitor& monitor) {
  Trees trees(core, root, gap, std::move(start), monitor);
  double cutoff = trees.FirstCutoff();
  std::int64_t most_nodes = kNodesBeforeGreedy;
  while (true) {
    const bool complete = trees.Run(cutoff, most_nodes);
    if (complete && trees.Prove(cutoff)) return trees.Take(true);
    if (complete) {
      cutoff = trees.NextCutoff(cutoff);
    } else if (most_nodes == kNodesBeforeGreedy && !monitor.Expired()) {
      most_nodes = std::numeric_limits<std::int64_t>::max();
      if (trees.Offer(SearchGreedily(core, root.relaxation.multipliers, monitor)))
        cutoff = std::min(cutoff, trees.FirstCutoff());
    } else {
      return trees.Take(false);
    }
  }
}

}  // namespace bitplan::search
