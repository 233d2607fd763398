#include "tree/tree.h"

#include <algorithm>
#include <cmath>

#include "heuristics/exchange.h"
#include "relaxation/rounding.h"
#include "tree/branching.h"
#include "tree/budget_lattice.h"
#include "tree/cuts.h"
#include "tuning.h"

namespace bitplan::search {
namespace {

/// Of the branches of a node the one whose sides raise the bound most.
class BestSides {
 public:
  /// `most`: by how much a side's bound need not rise any further.
  BestSides(const Node& node, double most) : bound_(node.bound), most_(most) {}

  /// One whose side is closed is as good as any: the other side replaces the node. Returns whether this is one.
  bool Offer(std::array<std::optional<Node>, 2> sides) {
    const bool closed = !sides[0] || !sides[1];
    double score = closed ? kInfinity : 1;
    if (!closed)
      for (const auto& side : sides) score *= std::clamp(side->bound - bound_, tuning::tree::kLeastRise * most_, most_);
    if (score > score_) {
      score_ = score;
      best = std::move(sides);
    }
    return closed;
  }

  bool Any() const { return score_ >= 0; }
  std::array<std::optional<Node>, 2> best;

 private:
  double bound_, most_, score_ = -1;
};

}  // namespace

Tree::Tree(const Core& core, const Node& root, const TreeOptions& options, std::optional<TalliesOf> tallies,
           Incumbent start, Monitor& monitor)
    : whole_(core), options_(options), monitor_(monitor) {
  result_.best = std::move(start);
  root_bound_ = root.bound;
  Node first = root;
  if (Closed(whole_, first) || !RuleOutColumns(whole_, first)) return;
  reduced_ = Reduce(whole_, first);
  swaps_.emplace(core_);
  if (tallies) tallies_ = AddTallies(whole_, reduced_, *tallies);
  figures_ = core_.budgets();
  if (options.cuts && !tallies) result_.cuts = AddCuts(reduced_, Cutoff(), monitor_);
  waiting_.Add(reduced_.root);
}

bool Tree::Run(double work, std::int64_t nodes) {
  most_work_ = work;
  most_nodes_ = nodes;
  interrupted_ = false;
  while (!Stopped()) {
    auto next = waiting_.Take();
    if (!next) break;
    Subproblem part = waiting_.PartOf(*next);
    Relaxation relaxation = Solve(part, next->basis);
    Explore(Node(std::move(part), std::move(relaxation), next->bound));
  }
  return !interrupted_;
}

TreeResult Tree::Result() {
  result_.bound = std::min({pruned_, waiting_.Bound(), result_.best.value});
  result_.complete = !interrupted_;
  return result_;
}

Relaxation Tree::Solve(const Subproblem& part, const Basis& basis) {
  const auto budgets = static_cast<double>(core_.budgets());
  work_ += tuning::tree::kWorkOfFewBudgets + budgets * budgets;
  return SolveRelaxation(core_, part, basis, Cutoff(), monitor_);
}

/// Follows a node down until nothing is left of it but what waits.
void Tree::Explore(Node node) {
  while (true) {
    ReportProgress(node);
    interrupted_ = interrupted_ || monitor_.Expired() || result_.nodes >= most_nodes_ || work_ >= most_work_;
    if (Stopped()) return waiting_.Add(node);
    ++result_.nodes;
    if (Closed(core_, node)) return;
    TryRounding(node);
    if (Closed(core_, node) || !RuleOutColumns(core_, node)) return;
    if (node.part.groups() > 0 && TightenBudgets(core_, node.part)) {
      node = Node(node.part, Solve(node.part, node.relaxation.basis), node.bound);
      if (Closed(core_, node)) return;
      TryRounding(node);
      if (Closed(core_, node) || !RuleOutColumns(core_, node)) return;
    }
    if (node.part.groups() == 0) {
      result_.best.Offer(whole_, reduced_.Expand(node.part.settled));
      return;
    }
    Sides sides = Divide(node);
    if (!sides[0] && !sides[1]) return;
    const std::size_t better = !sides[0] || (sides[1] && sides[1]->bound < sides[0]->bound) ? 1 : 0;
    if (sides[1 - better]) waiting_.Add(*sides[1 - better]);
    node = std::move(*sides[better]);
  }
}

bool Tree::Closed(const Core& core, const Node& node) {
  const double cutoff = Cutoff();
  if (node.bound < cutoff && node.bound <= LowerCutoff(core, node.part, cutoff)) return false;
  if (!node.relaxation.infeasible) pruned_ = std::min(pruned_, cutoff);
  return true;
}

void Tree::TryRounding(const Node& node) {
  CorePlan plan = Round(core_, node.part, node.relaxation, result_.best.value);
  if (plan.empty() || !result_.best.Offer(whole_, reduced_.Expand(plan)) || core_.goal == Goal::PeakUse) return;
  plan = Exchange(core_, std::move(plan), node.relaxation.multipliers, monitor_);
  result_.best.Offer(whole_, reduced_.Expand(plan));
}

/// Reduced loss fixing. Returns whether any plan is left.
bool Tree::RuleOutColumns(const Core& core, Node& node) {
  const double cutoff = Cutoff();
  const double highest = LowerCutoff(core, node.part, cutoff);
  std::vector<char> keep(node.part.columns());
  for (std::size_t c = 0; c < keep.size(); ++c) {
    const double bound = node.relaxation.bound + node.relaxation.reduced_loss[c];
    keep[c] = bound < cutoff && bound <= highest;
  }
  if (std::find(keep.begin(), keep.end(), 0) == keep.end()) return true;
  pruned_ = std::min(pruned_, cutoff);
  auto part = Restrict(core, node.part, keep);
  if (!part) return false;
  node.Narrow(core, std::move(*part), keep);
  return true;
}

Tree::Sides Tree::Divide(const Node& node) {
  const double cutoff = Cutoff();
  BestSides sides(node, std::isfinite(cutoff) ? cutoff - node.bound : 1.0);
  for (const Tally& tally : tallies_) {
    auto parts = search::Divide(core_, node, tally);
    if (parts && sides.Offer({SolveSide(node, std::move(parts->below)), SolveSide(node, std::move(parts->above))}))
      return std::move(sides.best);
  }
  if (!sides.Any())
    if (auto held = HoldTallies(node)) return std::move(*held);
  for (Branch branch : ProposeBranches(core_, node.part, node.relaxation, figures_)) {
    Branch other = branch;
    other.below = false;
    if (sides.Offer({SolveSide(node, PartOf(node, branch)), SolveSide(node, PartOf(node, other))})) break;
  }
  return std::move(sides.best);
}

/// Where all tallies are whole: the node with those held to their values that it cannot leave, or, as there are none,
/// divided where leaving costs most. So trees come to where nothing but the noise is left to search.
std::optional<Tree::Sides> Tree::HoldTallies(const Node& node) {
  Subproblem held = node.part;
  bool holds = false;
  double farthest = -kInfinity;
  Sides best;
  for (const Tally& tally : tallies_)
    for (TallySides& parts : DivideBeside(core_, node, tally)) {
      auto beyond = SolveSide(node, std::move(parts.above));
      if (!beyond) {
        holds = true;
        for (std::size_t i = 0; i < held.rest.size(); ++i) held.rest[i] = std::min(held.rest[i], parts.below.rest[i]);
      } else if (!holds && beyond->bound > farthest) {
        farthest = beyond->bound;
        best = {Node(std::move(parts.below), node.relaxation, node.bound), std::move(beyond)};
      }
    }
  if (holds) return Sides{SolveSide(node, std::move(held)), std::nullopt};
  if (farthest > -kInfinity) return best;
  return std::nullopt;
}

std::optional<Subproblem> Tree::PartOf(const Node& node, const Branch& branch) const {
  std::optional<Subproblem> part = Restrict(core_, node.part, branch);
  if (swaps_->Concern(branch.group)) part = swaps_->Restrict(core_, *part, branch.group);
  return part;
}

std::optional<Node> Tree::SolveSide(const Node& node, std::optional<Subproblem> part) {
  if (!part) return std::nullopt;
  Relaxation relaxation = Solve(*part, node.relaxation.basis);
  Node side(std::move(*part), std::move(relaxation), node.bound);
  if (Closed(core_, side)) return std::nullopt;
  return side;
}

/// Thousandths of the gap between the root's bound and the best plan that are closed.
void Tree::ReportProgress(const Node& node) {
  const double bound = std::max(options_.proven, std::min({pruned_, waiting_.Bound(), node.bound}));
  const double closed = (bound - root_bound_) / (result_.best.value - root_bound_);
  reported_ = std::max(reported_, std::isfinite(closed) ? std::clamp(closed, 0.0, 1.0) : 0.0);
  monitor_.SetProgress(options_.stage, static_cast<std::int64_t>(1000 * reported_), 1000);
}

}  // namespace bitplan::search
