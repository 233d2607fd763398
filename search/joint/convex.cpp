#include "joint/convex.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "joint/joint_exchange.h"
#include "joint/joint_tree.h"
#include "tuning.h"

namespace bitplan::search {
namespace {

using namespace tuning::joint;

JointRegion WholeOf(const Core& core, const CorePlan& plan) {
  JointRegion region{{}, {std::vector<Index>(core.columns()), core.first}, {}};
  std::iota(region.order.column.begin(), region.order.column.end(), Index{0});
  region.point.multipliers.setZero(static_cast<Eigen::Index>(core.budgets()));
  region.point.shares.setZero(static_cast<Eigen::Index>(core.columns()));
  for (const Index column : plan) region.point.shares[column] = 1;
  return region;
}

/// The better of two bounds on the same plans, column by column.
QuadraticBound Best(QuadraticBound a, const QuadraticBound& b) {
  const double bound = std::max(a.bound, b.bound);
  a.reduced_loss = (a.reduced_loss.array() + (a.bound - bound)).max(b.reduced_loss.array() + (b.bound - bound)).max(0);
  a.bound = bound;
  return a;
}

class ConvexSearch {
 public:
  ConvexSearch(const Core& core, const JointObjective& objective, CorePlan start, double floor,
               const JointLimits& limits, Monitor& monitor)
      : core_(core), objective_(objective), limits_(limits), monitor_(monitor) {
    incumbent_.plan = ExchangeJointly(core, objective, std::move(start), monitor);
    incumbent_.value = objective.Value(incumbent_.plan);
    incumbent_.gap = limits.gap;
    bound_ = std::min(floor, incumbent_.value);
    most_waiting_ = kMostWaitingBytes / (core.columns() * 2 + 256);
  }

  JointResult Run() {
    JointRegion root = WholeOf(core_, incumbent_.plan);
    guide_ = objective_.ExpandAt(root.point.shares);
    SearchRoot(std::move(root));
    while (Waits() && !Ended()) {
      const OpenRegion next = TakeWaiting();
      if (next.bound() >= incumbent_.Cutoff())
        RuleOut(next.bound());
      else
        SearchRegion(next.Region(), next.bound());
      ReportProgress();
    }
    const double bound = std::max(bound_, std::min({ruled_out_, WaitingBound(), incumbent_.value}));
    return {std::move(incumbent_.plan), incumbent_.value,       bound, nodes_,
            !Waits() && !cut_short_,    std::move(multipliers_)};
  }

 private:
  bool Ended() const { return monitor_.Expired() || nodes_ >= limits_.most_nodes; }
  bool Waits() const { return !(waiting_.empty() && overflow_.empty()); }
  void RuleOut(double bound) { ruled_out_ = std::min(ruled_out_, bound); }

  void SearchRoot(JointRegion region) {
    double bound = bound_;
    std::optional<ShiftedBounder> bounder;
    for (int round = 0; round < kMostRounds && !Ended(); ++round) {
      const auto before = static_cast<double>(region.order.column.size());
      bounder = Narrow(region, bound);
      if (multipliers_.empty()) multipliers_.assign(region.point.multipliers.begin(), region.point.multipliers.end());
      if (!bounder) return;
      bound_ = std::max(bound_, std::min(bound, incumbent_.Cutoff()));
      Improve(region.order);
      Eigen::VectorXd shares = Eigen::VectorXd::Zero(static_cast<Eigen::Index>(core_.columns()));
      shares(region.order.column) = region.point.shares;
      guide_ = objective_.ExpandAt(shares);
      if (static_cast<double>(region.order.column.size()) > kWorthAnotherRound * before) break;
    }
    root_bound_ = bound;
    cut_short_ = !bounder;
    if (cut_short_) return RuleOut(bound);
    SearchTree(std::move(region), *bounder, bound);
  }

  void SearchRegion(JointRegion region, double bound) {
    ++nodes_;
    if (region.order.groups() == 0) return Offer(region.settled);
    if (auto bounder = Narrow(region, bound)) SearchTree(std::move(region), *bounder, bound);
  }

  void Offer(const std::vector<Index>& columns) {
    CorePlan plan(core_.groups());
    for (const Index column : columns) plan[core_.group[column]] = column;
    RuleOut(incumbent_.Offer(core_, objective_, std::move(plan), monitor_));
  }

  /// Raises the bound, and leaves out the columns that plans worth finding do not take. Returns what bounds the plans
  /// that are left, if any are.
  std::optional<ShiftedBounder> Narrow(JointRegion& region, double& bound) {
    std::vector<char> kept(region.order.column.size(), 1);
    if (!DropUnaffordable(region.order.first, BudgetsOf(core_, region), kept) || !KeepOnly(kept, region))
      return std::nullopt;
    const double cutoff = incumbent_.Cutoff();
    const RegionBudgets budgets = BudgetsOf(core_, region);
    QuadraticBound solved = objective_.TangentBound(region, budgets, guide_, cutoff, monitor_);
    std::optional<ShiftedBounder> bounder;
    region.point = solved.point;
    if (solved.bound < cutoff) {
      bounder.emplace(objective_.MinorantOver(region, region.point.shares), budgets, region);
      Raise(region, *bounder, cutoff, solved);
      region.point = solved.point;
    }
    bound = std::max(bound, solved.bound);
    if (bound >= cutoff) {
      RuleOut(bound);
      return std::nullopt;
    }
    kept.assign(region.order.column.size(), 1);
    for (std::size_t c = 0; c < kept.size(); ++c) {
      const double least = solved.bound + solved.reduced_loss[static_cast<Eigen::Index>(c)];
      if (least < cutoff) continue;
      kept[c] = 0;
      RuleOut(least);
    }
    JointRegion part = region;
    if (!KeepOnly(kept, part)) return std::nullopt;
    if (part.settled.empty()) Arrange(LossOfGroups(part), part);
    bounder = bounder->Of(region, part);
    region = std::move(part);
    return bounder;
  }

  /// Brings the bound of a region to what `bounder` can give.
  void Raise(const JointRegion& region, ShiftedBounder& bounder, double cutoff, QuadraticBound& solved) {
    const bool root = region.settled.empty();
    const JointNode all{{}, std::vector<char>(region.order.column.size(), 1), region.point};
    for (int fit = 0;; ++fit) {
      const double before = solved.bound;
      QuadraticBound found = bounder.Bound(all, cutoff, kPrecision, monitor_);
      solved = Best(solved, found);
      solved.point = std::move(found.point);
      if (fit == (root ? kRefitsOfRoot : kRefits) || solved.bound >= cutoff) break;
      if (solved.bound - before < kWorthARefit * (cutoff - solved.bound)) break;
      bounder.Refit(solved.point.shares);
    }
    if (root && solved.bound < cutoff) Probe(region, bounder, all, cutoff, solved);
  }

  /// What the relaxation of the guide loses in each group.
  Eigen::VectorXd LossOfGroups(const JointRegion& region) const {
    const auto& column = region.order.column;
    const QuadraticModel model{0, guide_.linear(column), guide_.matrix(column, column)};
    return ShiftedBounder(model, BudgetsOf(core_, region), region).LossOfGroups();
  }

  /// Raises the reduced losses of columns by the bounds that there are when they are taken.
  void Probe(const JointRegion& region, ShiftedBounder& bounder, const JointNode& all, double cutoff,
             QuadraticBound& solved) {
    const auto& first = region.order.first;
    for (Index g = 0; g < region.order.groups(); ++g)
      for (Index c = first[g]; c < first[g + 1] && !monitor_.Expired(); ++c) {
        double& reduced = solved.reduced_loss[c];
        if (solved.bound + reduced >= cutoff || reduced < kWorthProbing * (cutoff - solved.bound)) continue;
        JointNode taken = all;
        taken.start = solved.point;
        std::fill(taken.allowed.begin() + first[g], taken.allowed.begin() + first[g + 1], 0);
        taken.allowed[c] = 1;
        reduced = std::max(reduced, bounder.Bound(taken, cutoff, kPrecisionOfProbes, monitor_).bound - solved.bound);
      }
  }

  void Improve(const JointOrder& order) {
    CorePlan plan = KickAndExchange(core_, objective_, order, incumbent_.plan, kKicks, monitor_);
    const double value = objective_.Value(plan);
    if (value >= incumbent_.value) return;
    incumbent_.plan = std::move(plan);
    incumbent_.value = value;
  }

  void SearchTree(JointRegion region, ShiftedBounder& bounder, double bound) {
    JointTreeResult tree =
        SearchJointTree(core_, objective_, std::make_shared<const JointRegion>(std::move(region)), bounder, bound,
                        std::min(objective_.NodesAMinorant(), limits_.most_nodes - nodes_), incumbent_, monitor_);
    nodes_ += tree.nodes;
    RuleOut(tree.pruned);
    for (OpenRegion& open : tree.open) Wait(std::move(open));
  }

  void Wait(OpenRegion open) {
    const bool full = waiting_.size() >= most_waiting_;
    (full ? overflow_ : waiting_).push_back(std::move(open));
    if (!full) std::push_heap(waiting_.begin(), waiting_.end(), WaitsLonger);
  }

  OpenRegion TakeWaiting() {
    auto& from = overflow_.empty() ? waiting_ : overflow_;
    if (overflow_.empty()) std::pop_heap(waiting_.begin(), waiting_.end(), WaitsLonger);
    OpenRegion next = std::move(from.back());
    from.pop_back();
    return next;
  }

  double WaitingBound() const {
    double bound = waiting_.empty() ? kInfinity : waiting_.front().bound();
    for (const OpenRegion& open : overflow_) bound = std::min(bound, open.bound());
    return bound;
  }

  /// Thousandths of the gap between the root's bound and the best plan that are closed.
  void ReportProgress() {
    const double bound = std::min({ruled_out_, WaitingBound(), incumbent_.value});
    const double closed = (bound - root_bound_) / (incumbent_.value - root_bound_);
    reported_ = std::max(reported_, std::isfinite(closed) ? std::clamp(closed, 0.0, 1.0) : 0.0);
    monitor_.SetProgress("search", static_cast<std::int64_t>(1000 * reported_), 1000);
  }

  const Core& core_;
  const JointObjective& objective_;
  const JointLimits limits_;
  Monitor& monitor_;
  JointIncumbent incumbent_;
  QuadraticModel guide_;  // the objective's expansion at the first plan, then at the root's relaxation
  double bound_;          // on the whole problem
  double root_bound_ = -kInfinity;
  double ruled_out_ = kInfinity;  // the least bound at which anything was ruled out
  bool cut_short_ = false;        // before anything could wait
  std::vector<OpenRegion> waiting_, overflow_;
  std::size_t most_waiting_;
  std::vector<double> multipliers_;
  std::int64_t nodes_ = 0;
  double reported_ = 0;
};

}  // namespace

JointResult SearchConvexly(const Core& core, const JointObjective& objective, CorePlan start, double floor,
                           const JointLimits& limits, Monitor& monitor) {
  return ConvexSearch(core, objective, std::move(start), floor, limits, monitor).Run();
}

}  // namespace bitplan::search
