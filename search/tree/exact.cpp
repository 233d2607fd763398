#include "tree/exact.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include "core/levelled_costs.h"
#include "heuristics/greedy.h"
#include "heuristics/pair_exchange.h"
#include "lists/plan_lists.h"
#include "relaxation/rounding.h"
#include "tree/budget_lattice.h"
#include "tree/feasibility.h"
#include "tuning.h"

namespace bitplan::search {
namespace {

constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max();

/// Branch and bound under cutoffs that rise until a plan lies below. A tight cutoff rules out far more columns, which
/// in turn coarsens the budgets' units; a tree that finds nothing has raised the bound to its cutoff.
class RisingCutoffs {
 public:
  RisingCutoffs(const Core& core, Node root, double gap, Incumbent start, Monitor& monitor)
      : core_(core), root_(std::move(root)), gap_(gap), monitor_(monitor) {
    result_.best = std::move(start);
    result_.bound = std::min(root_.bound, result_.best.value);
    cutoff_ = LowestCutoff(root_.bound);
  }

  /// Goes on until the best plan is proven; gives up at the first tree with more than `most_nodes`, or when the time is
  /// up. Returns whether it is proven.
  bool Run(std::int64_t most_nodes) {
    while (!result_.complete) {
      TreeOptions options{.gap = gap_, .cutoff = cutoff_, .proven = result_.bound};
      options.most_nodes = most_nodes;
      options.cuts = cuts_help_ && most_nodes > tuning::cutoffs::kNodesBeforeGreedy;
      TreeResult tree = BranchAndBound(core_, root_, options, result_.best, monitor_);
      result_.best = std::move(tree.best);
      result_.nodes += tree.nodes;
      if (options.cuts) cuts_help_ = tree.cuts;
      RaiseBound(tree.bound);
      if (!tree.complete) break;
      result_.complete = result_.complete || cutoff_ >= result_.best.Cutoff(core_, gap_);
      cutoff_ = std::max(cutoff_, root_.bound + tuning::cutoffs::kGrowth * (cutoff_ - root_.bound));
    }
    return result_.complete;
  }

  /// Takes a plan over when it is better: cutoffs begin again below it.
  void Offer(const Incumbent& plan) {
    if (plan.choices.empty() || !result_.best.Offer(core_, PlanOf(core_, plan.choices))) return;
    cutoff_ = std::min(cutoff_, LowestCutoff(root_.bound));
    RaiseBound(result_.bound);
  }

  /// Takes a bound over when it is better: no cutoff needs to be below it.
  void Raise(double bound) {
    RaiseBound(bound);
    if (cutoff_ <= result_.bound) cutoff_ = LowestCutoff(result_.bound);
  }

  /// Lists of up to `most` partial plans, for a better plan and bound.
  void RunLists(std::size_t most) {
    const TreeResult lists = SearchByLists(core_, root_, gap_, result_.best, most, monitor_);
    Offer(lists.best);
    Raise(lists.bound);
  }

  /// Exchanges of two pairs, for a better plan.
  void RunPairs(std::int64_t work) { Offer(ExchangePairs(core_, root_, gap_, result_.best, work, monitor_)); }

  void CountNodes(std::int64_t nodes) { result_.nodes += nodes; }
  const TreeResult& Result() const { return result_; }

 private:
  void RaiseBound(double bound) {
    result_.bound = std::min(std::max(result_.bound, bound), result_.best.value);
    if (const double cutoff = result_.best.Cutoff(core_, gap_);
        !result_.complete && NoPlanBetween(result_.bound, cutoff))
      result_.bound = std::max(result_.bound, cutoff);
    result_.complete = result_.complete || result_.bound >= result_.best.Cutoff(core_, gap_);
  }
  /// Losses are whole multiples of a unit, or nearly: a bound above the highest one below the cutoff is as good as
  /// that.
  bool NoPlanBetween(double bound, double cutoff) const {
    return std::isfinite(cutoff) && bound > LowerCutoff(core_, root_.part, cutoff);
  }
  double LowestCutoff(double bound) const { return bound + tuning::cutoffs::kFirst * (result_.best.value - bound); }

  const Core& core_;
  const Node root_;
  double gap_;
  Monitor& monitor_;
  TreeResult result_;
  double cutoff_;
  bool cuts_help_ = true;  // with higher cutoffs less and less
};

/// The searches of a problem's levelled ones.
class LevelledSearches {
 public:
  LevelledSearches(const LevelledCosts& levelled, double gap, Monitor& monitor)
      : least_(Begin(levelled.least, gap, monitor)), most_(Begin(levelled.most, gap, monitor)) {}

  /// Goes on with both for trees of up to `most_nodes`, which bounds the plans of `whole` from below and offers it
  /// plans. Returns whether there is no more to get from them.
  bool Help(RisingCutoffs& whole, std::int64_t most_nodes) {
    least_.Offer(whole.Result().best);
    const bool bounded = Go(least_, whole, most_nodes);
    whole.Raise(least_.Result().bound);
    if (whole.Result().complete) return true;
    most_.Offer(whole.Result().best);
    return Go(most_, whole, most_nodes) && bounded;
  }

 private:
  static RisingCutoffs Begin(const Core& core, double gap, Monitor& monitor) {
    Node root = SolveRoot(core, monitor);
    Incumbent start;
    if (!root.relaxation.infeasible) start.Offer(core, Round(core, root.part, root.relaxation, kInfinity));
    return RisingCutoffs(core, std::move(root), gap, std::move(start), monitor);
  }

  static bool Go(RisingCutoffs& search, RisingCutoffs& whole, std::int64_t most_nodes) {
    const std::int64_t before = search.Result().nodes;
    const bool complete = search.Run(most_nodes);
    whole.CountNodes(search.Result().nodes - before);
    whole.Offer(search.Result().best);
    return complete;
  }

  RisingCutoffs least_, most_;
};

/// Of a list; 0 where lists do not help.
std::size_t MostPlansOfLists(const Core& core) {
  if (core.budgets() < 1 || core.budgets() > kMostBudgetsOfLists) return 0;
  std::size_t widest = 1;
  for (std::size_t g = 0; g < core.groups(); ++g)
    widest = std::max<std::size_t>(widest, core.first[g + 1] - core.first[g]);
  return std::min(tuning::lists::kMostOfAll / core.groups(), tuning::lists::kMostAtOnce / widest);
}

}  // namespace

/// Where the first nodes do not do, the greedy search's plan is worth its time. Where costs are equal but for noise,
/// the levelled problems, too, take turns with lists of partial plans and the whole tree, each four times as long as
/// the one before.
TreeResult SearchExactly(const Core& core, const Node& root, double gap, Incumbent start, Monitor& monitor) {
  RisingCutoffs whole(core, root, gap, std::move(start), monitor);
  if (whole.Run(tuning::cutoffs::kNodesBeforeGreedy) || monitor.Expired()) return whole.Result();
  whole.Offer(SearchGreedily(core, root.relaxation.multipliers, monitor));
  std::int64_t pairs = core.budgets() > 0 ? tuning::pairs::kFirstWork : 0;
  if (pairs > 0) whole.RunPairs(pairs);
  if (whole.Result().complete || whole.Run(tuning::cutoffs::kNodesOfCuts)) return whole.Result();
  const auto levelled = LevelCosts(core);
  std::optional<LevelledSearches> searches;
  if (levelled) searches.emplace(*levelled, gap, monitor);
  const std::size_t most_plans = MostPlansOfLists(core);
  std::size_t plans = std::min(tuning::turns::kFirstPlans[core.budgets() > 1], most_plans);
  for (std::int64_t nodes = tuning::turns::kFirstNodes; !monitor.Expired() && (searches || plans > 0);
       nodes *= tuning::turns::kGrowth) {
    if (pairs > 0) whole.RunPairs(pairs *= tuning::turns::kGrowth);
    if (pairs >= tuning::pairs::kMostWork) pairs = 0;
    if (plans > 0) whole.RunLists(plans);
    plans = plans < most_plans ? std::min(plans * tuning::turns::kGrowth, most_plans) : 0;
    if (whole.Result().complete) return whole.Result();
    if (searches && searches->Help(whole, nodes)) searches.reset();
    if (whole.Result().complete || whole.Run(nodes)) return whole.Result();
  }
  if (pairs > 0) {
    if (whole.Run(tuning::pairs::kNodesBeforeMost)) return whole.Result();
    whole.RunPairs(tuning::pairs::kMostWork);
  }
  whole.Run(kNoLimit);
  return whole.Result();
}

}  // namespace bitplan::search
