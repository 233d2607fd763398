#include "search/convex.h"

#include <algorithm>
#include <numeric>

#include "search/joint_exchange.h"
#include "search/shifted_bounder.h"

namespace bitplan::search {
namespace {

constexpr int kKicks = 100;
constexpr int kMostRounds = 10;
constexpr double kWorthAnotherRound = 0.98;  // of the columns at most left after the one before

/// Columns whose reduced loss is at least this share of what would rule them out are tried.
constexpr double kWorthProbing = 0.05;

JointOrder AllColumns(const Core& core) {
  JointOrder order{std::vector<Index>(core.columns()), core.first};
  std::iota(order.column.begin(), order.column.end(), Index{0});
  return order;
}

/// The columns that the root's bound leaves, and the relaxation's shares of them.
void RuleOut(const QuadraticBound& root, double cutoff, JointOrder& order, Eigen::VectorXd& shares) {
  JointOrder kept{{}, {0}};
  std::vector<double> kept_shares;
  for (Index g = 0; g < order.groups(); ++g) {
    for (Index c = order.first[g]; c < order.first[g + 1]; ++c) {
      if (root.bound + root.reduced_loss[c] >= cutoff) continue;
      kept.column.push_back(order.column[c]);
      kept_shares.push_back(root.point.shares[c]);
    }
    kept.first.push_back(static_cast<Index>(kept.column.size()));
  }
  order = std::move(kept);
  shares = Eigen::Map<const Eigen::VectorXd>(kept_shares.data(), static_cast<Eigen::Index>(kept_shares.size()));
}

/// Raises the reduced losses of columns by the bounds that there are when they are taken.
void Probe(const JointOrder& order, JointBounder& bounder, const JointNode& root, double cutoff, QuadraticBound& solved,
           Monitor& monitor) {
  for (Index g = 0; g < order.groups(); ++g)
    for (Index c = order.first[g]; c < order.first[g + 1]; ++c) {
      double& reduced = solved.reduced_loss[c];
      if (solved.bound + reduced >= cutoff || reduced < kWorthProbing * (cutoff - solved.bound)) continue;
      JointNode taken = root;
      taken.start = solved.point;
      std::fill(taken.allowed.begin() + order.first[g], taken.allowed.begin() + order.first[g + 1], 0);
      taken.allowed[c] = 1;
      const QuadraticBound bound = bounder.Bound(taken, cutoff, Effort::Quick, monitor);
      reduced = std::max(reduced, bound.bound - solved.bound);
    }
}

/// Groups by falling `weight`.
void Arrange(const Eigen::VectorXd& weight, JointOrder& order, Eigen::VectorXd& shares) {
  std::vector<Index> groups(order.groups());
  std::iota(groups.begin(), groups.end(), Index{0});
  std::stable_sort(groups.begin(), groups.end(), [&](Index a, Index b) { return weight[a] > weight[b]; });
  JointOrder arranged{{}, {0}};
  Eigen::VectorXd arranged_shares(shares.size());
  for (const Index g : groups) {
    for (Index c = order.first[g]; c < order.first[g + 1]; ++c) {
      arranged_shares[static_cast<Eigen::Index>(arranged.column.size())] = shares[c];
      arranged.column.push_back(order.column[c]);
    }
    arranged.first.push_back(static_cast<Index>(arranged.column.size()));
  }
  order = std::move(arranged);
  shares = std::move(arranged_shares);
}

/// The search down to the root of the tree.
class Root {
 public:
  Root(const Core& core, const JointObjective& objective, CorePlan start, double floor, const JointLimits& limits,
       Monitor& monitor)
      : core_(core), objective_(objective), limits_(limits), monitor_(monitor), order_(AllColumns(core)) {
    result_.plan = ExchangeJointly(core, objective, std::move(start), monitor);
    result_.value = objective.Value(result_.plan);
    result_.bound = std::min(floor, result_.value);
    point_.multipliers.setZero(static_cast<Eigen::Index>(core.budgets()));
    point_.shares.setZero(static_cast<Eigen::Index>(core.columns()));
    for (const Index column : result_.plan) point_.shares[column] = 1;
    model_ = objective.ExpandAt(point_.shares);
  }

  JointTreeResult Search() {
    for (int round = 0; round < kMostRounds && !monitor_.Expired(); ++round) {
      const auto before = static_cast<double>(order_.column.size());
      if (!RuleOutColumns()) return Proven();
      Improve();
      if (static_cast<double>(order_.column.size()) > kWorthAnotherRound * before) break;
    }
    if (monitor_.Expired()) return std::move(result_);
    Arrange(ShiftedBounder(core_, model_, order_, point_.shares).LossOfGroups(), order_, point_.shares);
    const auto bounder = objective_.MakeBounder(core_, order_, point_.shares);
    JointTreeResult tree = SearchJointTree(core_, objective_, order_, *bounder, std::move(point_),
                                           std::move(result_.plan), result_.bound, limits_, monitor_);
    tree.multipliers = std::move(result_.multipliers);
    return tree;
  }

 private:
  /// Leaves the columns that plans worth finding may take. Returns whether every group has some.
  bool RuleOutColumns() {
    const double cutoff = JointCutoff(result_.value, limits_.gap);
    const auto bounder = objective_.MakeBounder(core_, order_, point_.shares);
    const JointNode root{{}, std::vector<char>(order_.column.size(), 1), point_};
    QuadraticBound solved = bounder->Bound(root, cutoff, Effort::Full, monitor_);
    result_.bound = std::max(result_.bound, std::min(solved.bound, cutoff));
    const auto& priced = solved.point.multipliers;
    if (result_.multipliers.empty()) result_.multipliers.assign(priced.begin(), priced.end());
    if (solved.bound >= cutoff) return false;
    Probe(order_, *bounder, root, cutoff, solved, monitor_);
    point_ = solved.point;
    RuleOut(solved, cutoff, order_, point_.shares);
    return std::adjacent_find(order_.first.begin(), order_.first.end()) == order_.first.end();
  }

  void Improve() {
    CorePlan plan = KickAndExchange(core_, objective_, order_, result_.plan, kKicks, monitor_);
    const double value = objective_.Value(plan);
    if (value >= result_.value) return;
    result_.plan = std::move(plan);
    result_.value = value;
  }

  /// No plan is better than the cutoff.
  JointTreeResult Proven() {
    result_.bound = std::max(result_.bound, JointCutoff(result_.value, limits_.gap));
    result_.complete = true;
    return std::move(result_);
  }

  const Core& core_;
  const JointObjective& objective_;
  const JointLimits limits_;
  Monitor& monitor_;
  JointOrder order_;
  RelaxedPoint point_;
  QuadraticModel model_;
  JointTreeResult result_;
};

}  // namespace

JointTreeResult SearchConvexly(const Core& core, const JointObjective& objective, CorePlan start, double floor,
                               const JointLimits& limits, Monitor& monitor) {
  return Root(core, objective, std::move(start), floor, limits, monitor).Search();
}

}  // namespace bitplan::search
