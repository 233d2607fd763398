#include "search/joint_tree.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "search/joint_exchange.h"

namespace bitplan::search {
namespace {

/// Beyond this, waiting nodes are taken last in, first out: their number then grows with the depth of the tree only.
constexpr std::size_t kMostWaitingBytes = std::size_t{1} << 30;

/// A node whose relaxation was solved, for its children to start from.
struct Parent {
  std::vector<Index> settled;
  std::vector<char> allowed;
  Eigen::VectorXf shares;
  Eigen::VectorXd multipliers;
};

struct Child {
  double bound = -kInfinity;
  std::int64_t serial = 0;
  Index column = 0;  // that the parent's first free group takes
  std::shared_ptr<const Parent> parent;
};

bool WaitsLonger(const Child& a, const Child& b) {
  return a.bound > b.bound || (a.bound == b.bound && a.serial < b.serial);
}

class JointTree {
 public:
  JointTree(const Core& core, const JointObjective& objective, const JointOrder& order, JointBounder& bounder,
            CorePlan plan, double bound, const JointLimits& limits, Monitor& monitor)
      : core_(core), objective_(objective), order_(order), bounder_(bounder), limits_(limits), monitor_(monitor) {
    result_.plan = std::move(plan);
    result_.value = objective.Value(result_.plan);
    root_bound_ = result_.bound = bound;
    const std::size_t node_bytes = order.column.size() * 5 + order.groups() * sizeof(Child) + 256;
    most_waiting_ = order.groups() * (kMostWaitingBytes / node_bytes);
    for (Index g = 0; g < order_.groups(); ++g)
      for (std::size_t i = 0; i < core_.budgets(); ++i) {
        double least = kInfinity;
        for (Index c = order_.first[g]; c < order_.first[g + 1]; ++c)
          least = std::min(least, core_.Cost(i, order_.column[c]));
        least_cost_.push_back(least);
      }
  }

  JointTreeResult Run(RelaxedPoint start) {
    JointNode root;
    root.allowed.assign(order_.column.size(), 1);
    root.start = std::move(start);
    Explore(std::move(root), result_.bound);
    while (!interrupted_) {
      auto next = TakeWaiting();
      if (!next) break;
      if (next->bound >= Cutoff()) {
        pruned_ = std::min(pruned_, next->bound);
        if (stack_.empty()) {  // the best of all that wait
          heap_.clear();
          break;
        }
        continue;
      }
      Explore(NodeOf(*next), next->bound);
    }
    result_.complete = !interrupted_;
    result_.bound = std::max(result_.bound, std::min({pruned_, WaitingBound(), result_.value}));
    return std::move(result_);
  }

 private:
  double Cutoff() const { return JointCutoff(result_.value, limits_.gap); }

  void Explore(JointNode node, double inherited) {
    while (true) {
      ReportProgress(inherited);
      interrupted_ = monitor_.Expired() || result_.nodes >= limits_.most_nodes;
      if (interrupted_) {
        pruned_ = std::min(pruned_, inherited);
        return;
      }
      ++result_.nodes;
      if (node.settled.size() == order_.groups()) return Offer(PlanOf(node.settled));
      if (!DropUnaffordable(node)) return;
      QuadraticBound solved = bounder_.Bound(node, Cutoff(), Effort::Full, monitor_);
      const double bound = std::max(inherited, solved.bound);
      if (bound >= Cutoff()) {
        pruned_ = std::min(pruned_, bound);
        return;
      }
      const auto best = Divide(std::move(node), std::move(solved), bound);
      if (!best) return;
      inherited = best->bound;
      node = NodeOf(*best);
    }
  }

  /// Lets all children wait but the best one, which is returned.
  std::optional<Child> Divide(JointNode node, QuadraticBound solved, double bound) {
    auto parent = std::make_shared<Parent>();
    const auto depth = static_cast<Index>(node.settled.size());
    const Index begin = order_.first[depth], width = order_.first[depth + 1] - begin;
    for (std::size_t c = 0; c < node.allowed.size(); ++c) {
      const double least = solved.bound + solved.reduced_loss[static_cast<Eigen::Index>(c)];
      if (!node.allowed[c] || least < Cutoff()) continue;
      node.allowed[c] = 0;
      pruned_ = std::min(pruned_, least);
    }
    parent->settled = std::move(node.settled);
    parent->shares = solved.point.shares.cast<float>();
    parent->multipliers = std::move(solved.point.multipliers);
    std::vector<Child> children;
    for (Index c = 0; c < width; ++c)
      if (node.allowed[c])
        children.push_back({std::max(bound, solved.bound + solved.reduced_loss[c]), 0, begin + c, parent});
    parent->allowed = std::move(node.allowed);
    if (children.empty()) return std::nullopt;
    std::stable_sort(children.begin(), children.end(),
                     [](const Child& a, const Child& b) { return a.bound < b.bound; });
    for (std::size_t i = children.size(); i-- > 1;) Wait(std::move(children[i]));
    return children[0];
  }

  JointNode NodeOf(const Child& child) const {
    JointNode node;
    const Parent& parent = *child.parent;
    const auto depth = static_cast<Index>(parent.settled.size());
    const Index width = order_.first[depth + 1] - order_.first[depth];
    node.settled = parent.settled;
    node.settled.push_back(child.column);
    node.allowed.assign(parent.allowed.begin() + width, parent.allowed.end());
    node.start.shares = parent.shares.tail(parent.shares.size() - width).cast<double>();
    node.start.multipliers = parent.multipliers;
    return node;
  }

  /// Drops columns that are over a budget even when all other groups take their cheapest. Returns whether every group
  /// has some left.
  bool DropUnaffordable(JointNode& node) const {
    const auto depth = static_cast<Index>(node.settled.size());
    for (std::size_t i = 0; i < core_.budgets(); ++i) {
      double left = core_.limits[i] * (1 + 1e-12);
      for (const Index c : node.settled) left -= core_.Cost(i, order_.column[c]);
      for (Index g = depth; g < order_.groups(); ++g) left -= least_cost_[g * core_.budgets() + i];
      for (Index g = depth; g < order_.groups(); ++g)
        for (Index c = order_.first[g]; c < order_.first[g + 1]; ++c)
          if (core_.Cost(i, order_.column[c]) - least_cost_[g * core_.budgets() + i] > left)
            node.allowed[c - order_.first[depth]] = 0;
    }
    for (Index g = depth; g < order_.groups(); ++g) {
      const auto at = node.allowed.begin() - order_.first[depth];
      if (std::find(at + order_.first[g], at + order_.first[g + 1], 1) == at + order_.first[g + 1]) return false;
    }
    return true;
  }

  CorePlan PlanOf(const std::vector<Index>& settled) const {
    CorePlan plan(core_.groups());
    for (const Index c : settled) plan[core_.group[order_.column[c]]] = order_.column[c];
    return plan;
  }

  void Offer(CorePlan plan) {
    if (core_.Value(plan) == kInfinity) return;
    const double value = objective_.Value(plan);
    pruned_ = std::min(pruned_, value);
    if (!(value < result_.value)) return;
    result_.plan = ExchangeJointly(core_, objective_, std::move(plan), monitor_);
    result_.value = objective_.Value(result_.plan);
  }

  void Wait(Child child) {
    child.serial = serial_++;
    if (heap_.size() >= most_waiting_) {
      stack_.push_back(std::move(child));
      return;
    }
    heap_.push_back(std::move(child));
    std::push_heap(heap_.begin(), heap_.end(), WaitsLonger);
  }

  std::optional<Child> TakeWaiting() {
    if (stack_.empty() && heap_.empty()) return std::nullopt;
    auto& from = stack_.empty() ? heap_ : stack_;
    if (stack_.empty()) std::pop_heap(heap_.begin(), heap_.end(), WaitsLonger);
    Child next = std::move(from.back());
    from.pop_back();
    return next;
  }

  double WaitingBound() const {
    double bound = heap_.empty() ? kInfinity : heap_.front().bound;
    for (const Child& child : stack_) bound = std::min(bound, child.bound);
    return bound;
  }

  /// Thousandths of the gap between the root's bound and the best plan that are closed.
  void ReportProgress(double current) {
    const double bound = std::min({pruned_, WaitingBound(), current});
    const double closed = (bound - root_bound_) / (result_.value - root_bound_);
    reported_ = std::max(reported_, std::isfinite(closed) ? std::clamp(closed, 0.0, 1.0) : 0.0);
    monitor_.SetProgress("search", static_cast<std::int64_t>(1000 * reported_), 1000);
  }

  const Core& core_;
  const JointObjective& objective_;
  const JointOrder& order_;
  JointBounder& bounder_;
  const JointLimits limits_;
  Monitor& monitor_;
  JointTreeResult result_;
  std::vector<double> least_cost_;  // [group, budget]
  std::vector<Child> heap_, stack_;
  std::size_t most_waiting_ = 0;
  std::int64_t serial_ = 0;
  double root_bound_ = -kInfinity;
  double pruned_ = kInfinity;  // the least bound at which anything was ruled out
  double reported_ = 0;
  bool interrupted_ = false;
};

}  // namespace

double JointCutoff(double best, double gap) { return best - std::max(gap, 1e-12) * std::abs(best); }

JointTreeResult SearchJointTree(const Core& core, const JointObjective& objective, const JointOrder& order,
                                JointBounder& bounder, RelaxedPoint start, CorePlan plan, double bound,
                                const JointLimits& limits, Monitor& monitor) {
  return JointTree(core, objective, order, bounder, std::move(plan), bound, limits, monitor).Run(std::move(start));
}

}  // namespace bitplan::search
