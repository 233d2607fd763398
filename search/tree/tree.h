#pragma once

#include <array>
#include <optional>
#include <vector>

#include "tree/branch_and_bound.h"
#include "tree/reduced_core.h"
#include "tree/swaps.h"
#include "tree/tallies.h"
#include "tree/waiting_nodes.h"

namespace bitplan::search {

/// A tree of BranchAndBound, which may pause.
class Tree {
 public:
  /// Branches on groups and, where `tallies` says so, on those.
  Tree(const Core& core, const Node& root, const TreeOptions& options, std::optional<TalliesOf> tallies,
       Incumbent start, Monitor& monitor);

  bool HasTallies() const { return !tallies_.empty(); }
  const Incumbent& Best() const { return result_.best; }
  void Offer(const Incumbent& plan) {
    if (plan.value < result_.best.value) result_.best = plan;
  }

  /// What has been done so far: about the time that it took, in some unit that all trees share.
  double Work() const { return work_; }

  /// Explores until the work is done, or the nodes. Returns whether the tree has ended by itself.
  bool RunToWork(double work) { return Run(work, options_.most_nodes); }
  bool RunToNodes(std::int64_t nodes) { return Run(kInfinity, std::min(nodes, options_.most_nodes)); }

  TreeResult Result();

 private:
  using Sides = std::array<std::optional<Node>, 2>;

  double Cutoff() const { return std::min(options_.cutoff, result_.best.Cutoff(whole_, options_.gap)); }
  bool Stopped() const { return interrupted_ || result_.best.value <= options_.target; }
  bool Run(double work, std::int64_t nodes);
  Relaxation Solve(const Subproblem& part, const Basis& basis);
  void Explore(Node node);
  bool Closed(const Core& core, const Node& node);
  void TryRounding(const Node& node);
  bool RuleOutColumns(const Core& core, Node& node);
  Sides Divide(const Node& node);
  std::optional<Sides> HoldTallies(const Node& node);
  std::optional<Subproblem> PartOf(const Node& node, const Branch& branch) const;
  std::optional<Node> SolveSide(const Node& node, std::optional<Subproblem> part);
  void ReportProgress(const Node& node);

  const Core& whole_;
  ReducedCore reduced_;  // of the root, columns ruled out
  const Core& core_ = reduced_.core;
  std::optional<Swaps> swaps_;  // of `core_`
  std::vector<Tally> tallies_;  // likewise
  std::size_t figures_ = 0;     // budgets that branches divide by: those but cuts
  const TreeOptions options_;
  Monitor& monitor_;
  TreeResult result_;
  WaitingNodes waiting_{reduced_.core, reduced_.root};
  double root_bound_ = -kInfinity;
  double pruned_ = kInfinity;  // the least bound at which anything was ruled out
  double reported_ = 0;
  double work_ = 0;
  double most_work_ = 0;
  std::int64_t most_nodes_ = 0;
  bool interrupted_ = false;
};

}  // namespace bitplan::search
