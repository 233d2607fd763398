#include "search/convex.h"

#include <algorithm>
#include <numeric>

#include "search/joint_exchange.h"
#include "search/shifted_bounder.h"

namespace bitplan::search {
namespace {

constexpr int kKicks = 60;
constexpr int kRootRounds = 4;
constexpr double kWorthAnotherRound = 0.85;  // of the columns at most left after the one before

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

}  // namespace

JointTreeResult SearchConvexly(const Core& core, const JointObjective& objective, CorePlan start, double floor,
                               double gap, Monitor& monitor) {
  JointTreeResult result;
  result.plan = ExchangeJointly(core, objective, std::move(start), monitor);
  result.plan = KickAndExchange(core, objective, std::move(result.plan), kKicks, monitor);
  result.value = objective.Value(result.plan);
  result.bound = std::min(floor, result.value);
  const double cutoff = JointCutoff(result.value, gap);

  JointOrder order = AllColumns(core);
  RelaxedPoint point{Eigen::VectorXd::Zero(static_cast<Eigen::Index>(core.columns())),
                     Eigen::VectorXd::Zero(static_cast<Eigen::Index>(core.budgets()))};
  for (const Index column : result.plan) point.shares[column] = 1;
  const QuadraticModel model = objective.ExpandAt(point.shares);
  for (int round = 0; round < kRootRounds && !monitor.Expired(); ++round) {
    const auto bounder = objective.MakeBounder(core, order, point.shares);
    JointNode root{{}, std::vector<char>(order.column.size(), 1), point};
    const QuadraticBound solved = bounder->Bound(root, cutoff, monitor);
    result.bound = std::max(result.bound, std::min(solved.bound, result.value));
    if (solved.bound >= cutoff) {
      result.complete = true;
      result.bound = std::max(result.bound, cutoff);
      return result;
    }
    const auto before = static_cast<double>(order.column.size());
    point = solved.point;
    RuleOut(solved, cutoff, order, point.shares);
    if (std::find(order.first.begin() + 1, order.first.end(), Index{0}) != order.first.end()) break;
    if (round > 0 && static_cast<double>(order.column.size()) > kWorthAnotherRound * before) break;
  }
  Arrange(ShiftedBounder(core, model, order, point.shares).LossOfGroups(), order, point.shares);
  const auto bounder = objective.MakeBounder(core, order, point.shares);
  return SearchJointTree(core, objective, order, *bounder, std::move(point), std::move(result.plan), result.bound, gap,
                         monitor);
}

}  // namespace bitplan::search
