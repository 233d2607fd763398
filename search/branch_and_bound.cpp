#include "search/branch_and_bound.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <deque>
#include <optional>

#include "search/branching.h"
#include "search/budget_lattice.h"
#include "search/exchange.h"
#include "search/rounding.h"
#include "search/shrunk_core.h"
#include "search/swaps.h"
#include "search/tallies.h"

namespace bitplan::search {
namespace {

/// Beyond this, waiting nodes are taken last in, first out: their number then grows with the depth of the tree only.
constexpr std::size_t kMostWaitingBytes = std::size_t{1} << 29;

/// A node that waits: which columns it has, and where its relaxation was solved.
struct WaitingNode {
  double bound = 0;
  std::int64_t serial = 0;
  std::vector<double> rest;            // of each budget
  std::vector<std::uint64_t> columns;  // a bit for each column of the shrunk core
  Basis basis;
};

bool WaitsLonger(const WaitingNode& a, const WaitingNode& b) {
  return a.bound > b.bound || (a.bound == b.bound && a.serial < b.serial);
}

using Sides = std::array<std::optional<Node>, 2>;


class Tree {
 public:
  /// Branches on groups and, where `tallies` says so, on those.
  Tree(const Core& core, const Node& root, const TreeOptions& options, std::optional<TalliesOf> tallies,
       Incumbent start, Monitor& monitor)
      : whole_(core), options_(options), monitor_(monitor) {
    result_.best = std::move(start);
    root_bound_ = root.bound;
    Node first = root;
    if (Closed(first) || !RuleOutColumns(whole_, first)) return;
    shrunk_ = Shrink(whole_, first);
    swaps_.emplace(core_);
    if (tallies) tallies_ = AddTallies(whole_, shrunk_, *tallies);
    most_waiting_ = kMostWaitingBytes / (sizeof(WaitingNode) + core_.columns() / 8 + core_.budgets() * 32 + 64);
    Wait(shrunk_.root);
  }

  bool HasTallies(TalliesOf of) const {
    return std::any_of(tallies_.begin(), tallies_.end(),
                       [&](const Tally& tally) { return tally.of_loss == (of == TalliesOf::CostsAndLosses); });
  }
  const Incumbent& Best() const { return result_.best; }
  void Offer(const Incumbent& plan) {
    if (plan.value < result_.best.value) result_.best = plan;
  }

  /// Explores up to `nodes` more nodes. Returns whether the tree has ended by itself.
  bool Run(std::int64_t nodes) {
    most_nodes_ = std::min(options_.most_nodes, nodes < options_.most_nodes - result_.nodes ? result_.nodes + nodes
                                                                                             : options_.most_nodes);
    interrupted_ = false;
    while (!Stopped()) {
      auto next = TakeWaiting();
      if (!next) break;
      Subproblem part = Recall(*next);
      Relaxation relaxation = Solve(part, next->basis);
      Explore(Node(std::move(part), std::move(relaxation), next->bound));
    }
    return !interrupted_;
  }

  TreeResult Result() {
    result_.bound = std::min({pruned_, WaitingBound(), result_.best.value});
    result_.complete = !interrupted_;
    return result_;
  }

 private:
  double Cutoff() const { return std::min(options_.cutoff, result_.best.Cutoff(whole_, options_.gap)); }
  bool Stopped() const { return interrupted_ || result_.best.value <= options_.target; }

  Relaxation Solve(const Subproblem& part, const Basis& basis) {
    return SolveRelaxation(core_, part, basis, Cutoff(), monitor_);
  }

  /// Follows a node down until nothing is left of it but what waits.
  void Explore(Node node) {
    while (true) {
      ReportProgress(node);
      interrupted_ = interrupted_ || monitor_.Expired() || result_.nodes >= most_nodes_;
      if (Stopped()) return Wait(node);
      ++result_.nodes;
      if (Closed(node)) return;
      TryRounding(node);
      if (Closed(node) || !RuleOutColumns(core_, node)) return;
      if (node.part.groups() > 0 && TightenBudgets(core_, node.part)) {
        node = Node(node.part, Solve(node.part, node.relaxation.basis), node.bound);
        if (Closed(node)) return;
        TryRounding(node);
        if (Closed(node) || !RuleOutColumns(core_, node)) return;
      }
      if (node.part.groups() == 0) {
        result_.best.Offer(whole_, shrunk_.Expand(node.part.settled));
        return;
      }
      Sides sides = Divide(node);
      if (!sides[0] && !sides[1]) return;
      const std::size_t better = !sides[0] || (sides[1] && sides[1]->bound < sides[0]->bound) ? 1 : 0;
      if (sides[1 - better]) Wait(*sides[1 - better]);
      node = std::move(*sides[better]);
    }
  }

  bool Closed(const Node& node) {
    const double cutoff = Cutoff();
    if (node.bound < cutoff) return false;
    if (!node.relaxation.infeasible) pruned_ = std::min(pruned_, cutoff);
    return true;
  }

  void TryRounding(const Node& node) {
    CorePlan plan = Round(core_, node.part, node.relaxation, result_.best.value);
    if (plan.empty() || !result_.best.Offer(whole_, shrunk_.Expand(plan)) || core_.goal == Goal::PeakUse) return;
    plan = Exchange(core_, std::move(plan), node.relaxation.multipliers, monitor_);
    result_.best.Offer(whole_, shrunk_.Expand(plan));
  }

  /// Reduced loss fixing. Returns whether any plan is left.
  bool RuleOutColumns(const Core& core, Node& node) {
    const double cutoff = Cutoff();
    std::vector<char> keep(node.part.columns());
    for (std::size_t c = 0; c < keep.size(); ++c)
      keep[c] = node.relaxation.bound + node.relaxation.reduced_loss[c] < cutoff;
    if (std::find(keep.begin(), keep.end(), 0) == keep.end()) return true;
    pruned_ = std::min(pruned_, cutoff);
    auto part = Restrict(core, node.part, keep);
    if (!part) return false;
    node.Narrow(core, std::move(*part), keep);
    return true;
  }

  /// The sides of the best branch. One whose side is closed at once is as good as any: the other side replaces the
  /// node.
  Sides Divide(const Node& node) {
    const double cutoff = Cutoff();
    const double most = std::isfinite(cutoff) ? cutoff - node.bound : 1.0;
    Sides best;
    double best_score = -1;
    const auto closes = [&](Sides sides) {  // and remembers the best sides
      const bool closed = !sides[0] || !sides[1];
      double score = closed ? kInfinity : 1;
      if (!closed)
        for (const auto& side : sides) score *= std::clamp(side->bound - node.bound, 1e-6 * most, most);
      if (score > best_score) {
        best_score = score;
        best = std::move(sides);
      }
      return closed;
    };
    for (const Tally& tally : tallies_) {
      TallySides parts = search::Divide(core_, node, tally);
      if (parts.below && closes({SolveSide(node, std::move(parts.below)), SolveSide(node, std::move(parts.above))}))
        return best;
    }
    for (Branch branch : ProposeBranches(core_, node.part, node.relaxation)) {
      Branch other = branch;
      other.below = false;
      if (closes({SolveSide(node, PartOf(node, branch)), SolveSide(node, PartOf(node, other))})) return best;
    }
    return best;
  }

  std::optional<Subproblem> PartOf(const Node& node, const Branch& branch) const {
    std::optional<Subproblem> part = Restrict(core_, node.part, branch);
    if (swaps_->Concern(branch.group)) part = swaps_->Restrict(core_, *part, branch.group);
    return part;
  }

  std::optional<Node> SolveSide(const Node& node, std::optional<Subproblem> part) {
    if (!part) return std::nullopt;
    Relaxation relaxation = Solve(*part, node.relaxation.basis);
    Node side(std::move(*part), std::move(relaxation), node.bound);
    if (Closed(side)) return std::nullopt;
    return side;
  }

  void Wait(const Node& node) {
    WaitingNode waiting{node.bound, serial_++, node.part.rest, {}, node.relaxation.basis};
    waiting.columns.assign(core_.columns() / 64 + 1, 0);
    const auto mark = [&](Index column) { waiting.columns[column / 64] |= std::uint64_t{1} << (column % 64); };
    for (const Index column : node.part.column) mark(column);
    for (const Index column : node.part.settled)
      if (column != Subproblem::kFree) mark(column);
    if (heap_.size() >= most_waiting_) {
      stack_.push_back(std::move(waiting));
      return;
    }
    heap_.push_back(std::move(waiting));
    std::push_heap(heap_.begin(), heap_.end(), WaitsLonger);
  }

  std::optional<WaitingNode> TakeWaiting() {
    if (stack_.empty() && heap_.empty()) return std::nullopt;
    auto& from = stack_.empty() ? heap_ : stack_;
    if (stack_.empty()) std::pop_heap(heap_.begin(), heap_.end(), WaitsLonger);
    WaitingNode next = std::move(from.back());
    from.pop_back();
    return next;
  }

  Subproblem Recall(const WaitingNode& waiting) const {
    std::vector<char> keep(core_.columns());
    for (std::size_t c = 0; c < keep.size(); ++c) keep[c] = (waiting.columns[c / 64] >> (c % 64)) & 1;
    Subproblem part = *Restrict(core_, shrunk_.root.part, keep);
    part.rest = waiting.rest;
    return part;
  }

  double WaitingBound() const {
    double bound = heap_.empty() ? kInfinity : heap_.front().bound;
    for (const WaitingNode& waiting : stack_) bound = std::min(bound, waiting.bound);
    return bound;
  }

  /// Thousandths of the gap between the root's bound and the best plan that are closed.
  void ReportProgress(const Node& node) {
    const double bound = std::max(options_.proven, std::min({pruned_, WaitingBound(), node.bound}));
    const double closed = (bound - root_bound_) / (result_.best.value - root_bound_);
    reported_ = std::max(reported_, std::isfinite(closed) ? std::clamp(closed, 0.0, 1.0) : 0.0);
    monitor_.SetProgress(options_.stage, static_cast<std::int64_t>(1000 * reported_), 1000);
  }

  const Core& whole_;
  ShrunkCore shrunk_;  // of the root, columns ruled out
  const Core& core_ = shrunk_.core;
  std::optional<Swaps> swaps_;  // of `core_`
  std::vector<Tally> tallies_;  // likewise
  const TreeOptions options_;
  Monitor& monitor_;
  TreeResult result_;
  std::vector<WaitingNode> heap_, stack_;
  std::size_t most_waiting_ = 0;
  std::int64_t serial_ = 0;
  double root_bound_ = -kInfinity;
  double pruned_ = kInfinity;  // the least bound at which anything was ruled out
  double reported_ = 0;
  std::int64_t most_nodes_ = 0;
  bool interrupted_ = false;
};

/// Trees by turns, the last first, each with the best plan of all, until one has ended.
TreeResult Race(std::deque<Tree>& trees, const TreeOptions& options, Monitor& monitor) {
  Incumbent best = trees.front().Best();
  const auto ends = [&](Tree& tree, std::int64_t nodes) {
    tree.Offer(best);
    const bool ended = tree.Run(nodes);
    best = tree.Best();
    return ended;
  };
  for (std::int64_t nodes = std::max<std::int64_t>(options.nodes_alone, 1);; nodes *= 2) {
    const auto any = std::any_of(trees.rbegin(), trees.rend(), [&](Tree& tree) { return ends(tree, nodes); });
    if (any || monitor.Expired() || trees.front().Result().nodes >= options.most_nodes) break;
  }
  TreeResult result;
  for (Tree& tree : trees) {
    const TreeResult one = tree.Result();
    result.complete = result.complete || one.complete;
    result.bound = std::max(result.bound, one.bound);
    result.nodes += one.nodes;
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
  if (alone.Run(by_groups_alone ? options.most_nodes : options.nodes_alone)) return alone.Result();
  if (by_groups_alone || monitor.Expired()) return alone.Result();
  for (const TalliesOf of : {TalliesOf::Costs, TalliesOf::CostsAndLosses}) {
    trees.emplace_back(core, root, options, of, alone.Best(), monitor);
    if (!trees.back().HasTallies(of)) trees.pop_back();
  }
  if (trees.size() > 1) return Race(trees, options, monitor);
  alone.Run(options.most_nodes);
  return alone.Result();
}

}  // namespace bitplan::search
