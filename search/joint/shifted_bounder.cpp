#include "joint/shifted_bounder.h"

#include <algorithm>

#include "tuning.h"

namespace bitplan::search {
namespace {

using namespace tuning::joint;

}  // namespace

ShiftedBounder::ShiftedBounder(QuadraticModel model, RegionBudgets budgets, const JointRegion& region)
    : first_(region.order.first),
      model_(std::move(model)),
      budgets_(std::move(budgets)),
      spread_(Spread(first_, region.point.shares)) {
  BlockShift shift(model_.matrix, first_);
  shift.FitDown(spread_);
  depths_.push_back(DepthWith(0, std::move(shift)));
}

ShiftedBounder ShiftedBounder::Of(const JointRegion& region, const JointRegion& part) const {
  const auto& column = region.order.column;
  std::vector<Index> position(*std::max_element(column.begin(), column.end()) + 1), taken;
  for (std::size_t c = 0; c < column.size(); ++c) position[column[c]] = static_cast<Index>(c);
  for (const Index c : part.order.column) taken.push_back(position[c]);
  ShiftedBounder bounder;
  bounder.first_ = part.order.first;
  bounder.model_ = {model_.constant, model_.linear(taken), model_.matrix(taken, taken)};
  bounder.budgets_ = {budgets_.cost(Eigen::all, taken), budgets_.rest};
  bounder.depths_.push_back(bounder.DepthWith(0, depths_[0].shift.Of(taken, part.order.first)));
  bounder.Refit(part.point.shares);
  return bounder;
}

void ShiftedBounder::Refit(const Eigen::VectorXd& shares) {
  BlockShift shift = std::move(depths_[0].shift);
  depths_.clear();
  spread_ = Spread(first_, shares);
  shift.Fit(spread_, kSlackOfDepths * shift.LossAt(spread_).sum(), kSweepsOfDepths);
  depths_.push_back(DepthWith(0, std::move(shift)));
}

ShiftedBounder::Depth ShiftedBounder::DepthWith(std::size_t settled, BlockShift shift) const {
  const Eigen::Index free = model_.matrix.rows() - first_[settled];
  Depth at{shift, {}, shift.Matrix(), model_.linear.tail(free), budgets_.cost.rightCols(free)};
  at.linear += (model_.matrix.diagonal().tail(free) - shift.Diagonal()) / 2;
  for (std::size_t g = settled; g < first_.size(); ++g) at.first.push_back(first_[g] - first_[settled]);
  return at;
}

const ShiftedBounder::Depth& ShiftedBounder::DepthAfter(std::size_t settled) {
  while (depths_.size() <= settled)
    depths_.push_back(DepthWith(depths_.size(), depths_.back().shift.WithoutFirstGroup()));
  if (settled > 0 && ++depths_[settled].visits == kVisitsWorthAFit) {
    BlockShift shift = std::move(depths_[settled].shift);
    const Eigen::VectorXd spread = spread_.tail(model_.matrix.rows() - first_[settled]);
    shift.Fit(spread, kSlackOfDepths * shift.LossAt(spread).sum(), kSweepsOfDepths);
    depths_.erase(depths_.begin() + static_cast<std::ptrdiff_t>(settled), depths_.end());
    depths_.push_back(DepthWith(settled, std::move(shift)));
    depths_.back().visits = kVisitsWorthAFit;
  }
  return depths_[settled];
}

QuadraticBound ShiftedBounder::Bound(const JointNode& node, double cutoff, double precision, Monitor& monitor) {
  const Depth& at = DepthAfter(node.settled.size());
  const Eigen::Index free = at.linear.size();
  std::vector<char> allowed = node.allowed;
  RegionBudgets budgets{at.cost, budgets_.rest};
  for (const Index c : node.settled) budgets.rest -= budgets_.cost.col(c);
  if (!DropUnaffordable(at.first, budgets, allowed))
    return {kInfinity, Eigen::VectorXd::Constant(free, kInfinity), node.start};
  QuadraticRelaxation relaxation{at.first, at.matrix, at.cost, allowed, model_.constant, at.linear, budgets.rest};
  for (const Index c : node.settled) {
    relaxation.constant += model_.linear[c];
    for (const Index d : node.settled) relaxation.constant += model_.matrix(d, c) / 2;
    relaxation.linear += model_.matrix.col(c).tail(free);
  }
  return BoundFrom(relaxation, node.start, cutoff, precision, monitor);
}

}  // namespace bitplan::search
