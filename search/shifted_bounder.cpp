#include "search/shifted_bounder.h"

namespace bitplan::search {
namespace {

/// Share of the loss that may be left each time.
constexpr double kSlackOfDepths = 0.03;
constexpr int kSweepsOfDepths = 8;

/// How close to the minimum a bound is brought, as a share of its distance from the cutoff.
constexpr double kPrecision = 0.1;

}  // namespace

ShiftedBounder::ShiftedBounder(const Core& core, const QuadraticModel& model, const JointOrder& order,
                               const Eigen::VectorXd& shares)
    : order_(order),
      constant_(model.constant),
      limits_(LimitsOf(core)),
      cost_(CostsOf(core, order)),
      linear_(model.linear(order.column)),
      matrix_(model.matrix(order.column, order.column)),
      spread_(Spread(order.first, shares)) {
  BlockShift shift(matrix_, order.first);
  shift.FitDown(spread_);
  AddDepth(std::move(shift));
}

void ShiftedBounder::AddDepth(BlockShift shift) {
  const std::size_t depth = depths_.size();
  const Eigen::Index free = matrix_.rows() - order_.first[depth];
  Depth at{shift, {}, shift.Matrix(), linear_.tail(free), cost_.rightCols(free)};
  at.linear += (matrix_.diagonal().tail(free) - shift.Diagonal()) / 2;
  for (std::size_t g = depth; g < order_.first.size(); ++g) at.first.push_back(order_.first[g] - order_.first[depth]);
  depths_.push_back(std::move(at));
}

const ShiftedBounder::Depth& ShiftedBounder::DepthAfter(std::size_t settled) {
  while (depths_.size() <= settled) {
    BlockShift shift = depths_.back().shift.WithoutFirstGroup();
    const Eigen::VectorXd spread = spread_.tail(matrix_.rows() - order_.first[depths_.size()]);
    shift.Fit(spread, kSlackOfDepths * shift.LossAt(spread).sum(), kSweepsOfDepths);
    AddDepth(std::move(shift));
  }
  return depths_[settled];
}

QuadraticBound ShiftedBounder::Bound(const JointNode& node, double cutoff, Effort, Monitor& monitor) {
  const Depth& at = DepthAfter(node.settled.size());
  const Eigen::Index free = at.linear.size();
  QuadraticRelaxation relaxation{at.first, at.matrix, at.cost, node.allowed, constant_, at.linear, limits_};
  for (const Index c : node.settled) {
    relaxation.constant += linear_[c];
    for (const Index d : node.settled) relaxation.constant += matrix_(d, c) / 2;
    relaxation.linear += matrix_.col(c).tail(free);
    relaxation.rest -= cost_.col(c);
  }
  return BoundFrom(relaxation, node.start, cutoff, kPrecision, monitor);
}

}  // namespace bitplan::search
