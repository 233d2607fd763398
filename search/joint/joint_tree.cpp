#include "joint/joint_tree.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "joint/joint_exchange.h"
#include "tuning.h"

namespace bitplan::search {
namespace {

class JointTree {
 public:
  JointTree(const Core& core, const JointObjective& objective, std::shared_ptr<const JointRegion> region,
            ShiftedBounder& bounder, std::int64_t most_nodes, JointIncumbent& incumbent, Monitor& monitor)
      : core_(core),
        objective_(objective),
        region_(std::move(region)),
        bounder_(bounder),
        most_nodes_(most_nodes),
        incumbent_(incumbent),
        monitor_(monitor) {}

  JointTreeResult Run(double bound) {
    Explore({{}, std::vector<char>(region_->order.column.size(), 1), region_->point}, bound);
    while (!result_.open.empty() && !Ended()) {
      std::pop_heap(result_.open.begin(), result_.open.end(), WaitsLonger);
      const OpenRegion next = std::move(result_.open.back());
      result_.open.pop_back();
      if (next.bound() >= incumbent_.Cutoff()) {
        RuleOut(next.bound());
        continue;
      }
      Explore(next.Node(), next.bound());
    }
    MergeOpen();
    return std::move(result_);
  }

 private:
  /// What is open, as parts of the whole region by the column that its first group takes.
  void MergeOpen() {
    if (result_.open.empty()) return;
    std::map<Index, double> bounds;
    for (const OpenRegion& open : result_.open) {
      double& bound = bounds.emplace(open.FirstColumn(), kInfinity).first->second;
      bound = std::min(bound, open.bound());
    }
    result_.open.clear();
    for (const auto& [column, bound] : bounds) result_.open.emplace_back(root_, column, bound);
  }

  bool Ended() const { return result_.nodes >= most_nodes_ || monitor_.Expired(); }
  void RuleOut(double bound) { result_.pruned = std::min(result_.pruned, bound); }

  void Explore(JointNode node, double bound) {
    while (true) {
      ++result_.nodes;
      if (node.settled.size() == region_->order.groups())
        return RuleOut(incumbent_.Offer(core_, objective_, PlanOf(node.settled), monitor_));
      QuadraticBound solved = bounder_.Bound(node, incumbent_.Cutoff(), tuning::joint::kPrecisionOfNodes, monitor_);
      bound = std::max(bound, solved.bound);
      if (bound >= incumbent_.Cutoff()) return RuleOut(bound);
      const auto best = Divide(std::move(node), std::move(solved), bound);
      if (!best) return;
      if (Ended()) return Wait(*best);
      bound = best->bound();
      node = best->Node();
    }
  }

  /// Lets all children wait but the best one, which is returned.
  std::optional<OpenRegion> Divide(JointNode node, QuadraticBound solved, double bound) {
    const auto& first = region_->order.first;
    const std::size_t depth = node.settled.size();
    for (std::size_t c = 0; c < node.allowed.size(); ++c) {
      const double least = solved.bound + solved.reduced_loss[static_cast<Eigen::Index>(c)];
      if (!node.allowed[c] || least < incumbent_.Cutoff()) continue;
      node.allowed[c] = 0;
      RuleOut(least);
    }
    for (Index g = static_cast<Index>(depth); g < region_->order.groups(); ++g) {
      const auto at = node.allowed.begin() - first[depth];
      if (std::find(at + first[g], at + first[g + 1], 1) == at + first[g + 1]) return std::nullopt;
    }
    const auto parent = std::make_shared<const OpenRegion::Parent>(
        OpenRegion::Parent{region_, std::move(node.settled), node.allowed, solved.point.shares.cast<float>(),
                           std::move(solved.point.multipliers)});
    if (depth == 0) root_ = parent;
    std::vector<OpenRegion> children;
    for (Index c = 0; c < first[depth + 1] - first[depth]; ++c)
      if (node.allowed[c])
        children.emplace_back(parent, first[depth] + c, std::max(bound, solved.bound + solved.reduced_loss[c]));
    std::stable_sort(children.begin(), children.end(),
                     [](const OpenRegion& a, const OpenRegion& b) { return a.bound() < b.bound(); });
    for (std::size_t i = children.size(); i-- > 1;) Wait(std::move(children[i]));
    return children[0];
  }

  CorePlan PlanOf(const std::vector<Index>& settled) const {
    CorePlan plan(core_.groups());
    for (const Index column : region_->settled) plan[core_.group[column]] = column;
    for (const Index c : settled) plan[core_.group[region_->order.column[c]]] = region_->order.column[c];
    return plan;
  }

  void Wait(OpenRegion open) {
    result_.open.push_back(std::move(open));
    std::push_heap(result_.open.begin(), result_.open.end(), WaitsLonger);
  }

  const Core& core_;
  const JointObjective& objective_;
  const std::shared_ptr<const JointRegion> region_;
  ShiftedBounder& bounder_;
  const std::int64_t most_nodes_;
  JointIncumbent& incumbent_;
  Monitor& monitor_;
  JointTreeResult result_;
  std::shared_ptr<const OpenRegion::Parent> root_;
};

}  // namespace

bool WaitsLonger(const OpenRegion& a, const OpenRegion& b) { return a.bound() > b.bound(); }

double JointIncumbent::Cutoff() const { return value - std::max(gap, tuning::kRounding) * std::abs(value); }

double JointIncumbent::Offer(const Core& core, const JointObjective& objective, CorePlan offered, Monitor& monitor) {
  if (core.Value(offered) == kInfinity) return kInfinity;
  const double before = objective.Value(offered);
  if (!(before < value)) return before;
  plan = ExchangeJointly(core, objective, std::move(offered), monitor);
  value = objective.Value(plan);
  return before;
}

Index OpenRegion::FirstColumn() const { return parent_->settled.empty() ? column_ : parent_->settled.front(); }

JointNode OpenRegion::Node() const {
  const auto& first = parent_->region->order.first;
  const std::size_t depth = parent_->settled.size();
  const Index width = first[depth + 1] - first[depth];
  JointNode node{parent_->settled, {}, {}};
  node.settled.push_back(column_);
  node.allowed.assign(parent_->allowed.begin() + width, parent_->allowed.end());
  node.start = {parent_->shares.tail(parent_->shares.size() - width).cast<double>(), parent_->multipliers};
  return node;
}

JointRegion OpenRegion::Region() const {
  const JointRegion& whole = *parent_->region;
  const JointNode node = Node();
  const auto depth = static_cast<std::ptrdiff_t>(node.settled.size());
  const Index begin = whole.order.first[static_cast<std::size_t>(depth)];
  JointRegion region{whole.settled, {{whole.order.column.begin() + begin, whole.order.column.end()}, {}}, node.start};
  for (const Index c : node.settled) region.settled.push_back(whole.order.column[c]);
  for (auto first = whole.order.first.begin() + depth; first != whole.order.first.end(); ++first)
    region.order.first.push_back(*first - begin);
  KeepOnly(node.allowed, region);
  return region;
}

JointTreeResult SearchJointTree(const Core& core, const JointObjective& objective,
                                std::shared_ptr<const JointRegion> region, ShiftedBounder& bounder, double bound,
                                std::int64_t most_nodes, JointIncumbent& incumbent, Monitor& monitor) {
  return JointTree(core, objective, std::move(region), bounder, most_nodes, incumbent, monitor).Run(bound);
}

}  // namespace bitplan::search
