#include "tree/branch_and_bound.h"

#include <algorithm>
#include <deque>

#include "tree/tree.h"

namespace bitplan::search {
namespace {

/// Trees by turns, the last first, each with the best plan of all, until one has ended. All have done as much work
/// then, or the last more than the others, but none more than twice as much.
TreeResult Race(std::deque<Tree>& trees, const TreeOptions& options, Monitor& monitor) {
  Incumbent best = trees.front().Best();
  const auto ends = [&](Tree& tree, double work) {
    tree.Offer(best);
    const bool ended = tree.RunToWork(work);
    best = tree.Best();
    return ended;
  };
  for (double work = std::max(trees.front().Work(), 1.0);; work *= 2) {
    const auto any = std::any_of(trees.rbegin(), trees.rend(), [&](Tree& tree) { return ends(tree, work); });
    if (any || monitor.Expired() || trees.front().Result().nodes >= options.most_nodes) break;
  }
  TreeResult result;
  for (Tree& tree : trees) {
    const TreeResult one = tree.Result();
    result.complete = result.complete || one.complete;
    result.bound = std::max(result.bound, one.bound);
    result.nodes += one.nodes;
    result.cuts = result.cuts || one.cuts;
  }
  result.bound = std::min(result.bound, best.value);
  result.best = std::move(best);
  return result;
}

}  // namespace

Node::Node(Subproblem of, Relaxation solved, double inherited)
    : part(std::move(of)), relaxation(std::move(solved)), bound(std::max(relaxation.bound, inherited)) {}

void Node::Narrow(const Core& core, Subproblem to, const std::vector<char>& kept) {
  const auto settled = [&](Index column) { return to.settled[core.group[column]] != Subproblem::kFree; };
  std::vector<double> reduced_loss;
  for (std::size_t c = 0; c < kept.size(); ++c)
    if (kept[c] && !settled(part.column[c])) reduced_loss.push_back(relaxation.reduced_loss[c]);
  relaxation.reduced_loss = std::move(reduced_loss);
  std::erase_if(relaxation.split, [&](const Share& share) { return settled(share.column); });
  std::erase_if(relaxation.leading, settled);
  part = std::move(to);
}

TreeResult BranchAndBound(const Core& core, const Node& root, const TreeOptions& options, Incumbent start,
                          Monitor& monitor) {
  std::deque<Tree> trees;
  trees.emplace_back(core, root, options, std::nullopt, std::move(start), monitor);
  Tree& alone = trees.front();
  const bool by_groups_alone = core.goal == Goal::PeakUse;
  if (alone.RunToNodes(by_groups_alone ? options.most_nodes : options.nodes_alone)) return alone.Result();
  if (by_groups_alone || monitor.Expired()) return alone.Result();
  for (const TalliesOf of : {TalliesOf::Ranks, TalliesOf::Counts, TalliesOf::Surpluses}) {
    trees.emplace_back(core, root, options, of, alone.Best(), monitor);
    if (!trees.back().HasTallies()) trees.pop_back();
  }
  if (trees.size() > 1) return Race(trees, options, monitor);
  alone.RunToNodes(options.most_nodes);
  return alone.Result();
}

}  // namespace bitplan::search
