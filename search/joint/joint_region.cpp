#include "joint/joint_region.h"

#include <algorithm>
#include <numeric>

#include "tuning.h"

namespace bitplan::search {
namespace {

using namespace tuning::joint;

Eigen::VectorXd SharesOf(const JointOrder& order, const std::vector<double>& kept) {
  Eigen::VectorXd shares = Eigen::Map<const Eigen::VectorXd>(kept.data(), static_cast<Eigen::Index>(kept.size()));
  for (Index g = 0; g < order.groups(); ++g) {
    auto of_group = shares.segment(order.first[g], order.Width(g));
    if (of_group.sum() < kLeastShares) of_group.setOnes();
    of_group /= of_group.sum();
  }
  return shares;
}

}  // namespace

RegionBudgets BudgetsOf(const Core& core, const JointRegion& region) {
  const auto& column = region.order.column;
  RegionBudgets budgets{RowMatrix(core.budgets(), column.size()),
                        Eigen::VectorXd(static_cast<Eigen::Index>(core.budgets()))};
  for (std::size_t i = 0; i < core.budgets(); ++i) {
    const auto row = static_cast<Eigen::Index>(i);
    budgets.rest[row] = core.limits[i] * (1 + tuning::kRounding);
    for (std::size_t c = 0; c < column.size(); ++c)
      budgets.cost(row, static_cast<Eigen::Index>(c)) = core.Cost(i, column[c]);
    for (const Index settled : region.settled) budgets.rest[row] -= core.Cost(i, settled);
  }
  return budgets;
}

bool KeepOnly(const std::vector<char>& kept, JointRegion& region) {
  const JointOrder& order = region.order;
  JointOrder left{{}, {0}};
  std::vector<double> shares;
  for (Index g = 0; g < order.groups(); ++g) {
    for (Index c = order.first[g]; c < order.first[g + 1]; ++c) {
      if (!kept[c]) continue;
      left.column.push_back(order.column[c]);
      shares.push_back(region.point.shares[c]);
    }
    if (left.column.size() == left.first.back()) return false;
    left.first.push_back(static_cast<Index>(left.column.size()));
  }
  region.order = std::move(left);
  region.point.shares = SharesOf(region.order, shares);
  return true;
}

bool DropUnaffordable(const std::vector<Index>& first, const RegionBudgets& budgets, std::vector<char>& allowed) {
  const std::size_t groups = first.size() - 1;
  std::vector<double> least(groups);
  for (Eigen::Index i = 0; i < budgets.rest.size(); ++i) {
    double left = budgets.rest[i];
    for (std::size_t g = 0; g < groups; ++g) {
      least[g] = kInfinity;
      for (Index c = first[g]; c < first[g + 1]; ++c)
        if (allowed[c]) least[g] = std::min(least[g], budgets.cost(i, c));
      left -= least[g];
    }
    for (std::size_t g = 0; g < groups; ++g)
      for (Index c = first[g]; c < first[g + 1]; ++c)
        if (budgets.cost(i, c) - least[g] > left) allowed[c] = 0;
    if (left < 0) return false;
  }
  for (std::size_t g = 0; g < groups; ++g)
    if (std::find(allowed.begin() + first[g], allowed.begin() + first[g + 1], 1) == allowed.begin() + first[g + 1])
      return false;
  return true;
}

void Arrange(const Eigen::VectorXd& weight, JointRegion& region) {
  const JointOrder& order = region.order;
  std::vector<Index> groups(order.groups());
  std::iota(groups.begin(), groups.end(), Index{0});
  std::stable_sort(groups.begin(), groups.end(), [&](Index a, Index b) { return weight[a] > weight[b]; });
  JointOrder arranged{{}, {0}};
  Eigen::VectorXd shares(region.point.shares.size());
  for (const Index g : groups) {
    for (Index c = order.first[g]; c < order.first[g + 1]; ++c) {
      shares[static_cast<Eigen::Index>(arranged.column.size())] = region.point.shares[c];
      arranged.column.push_back(order.column[c]);
    }
    arranged.first.push_back(static_cast<Index>(arranged.column.size()));
  }
  region.order = std::move(arranged);
  region.point.shares = std::move(shares);
}

}  // namespace bitplan::search
