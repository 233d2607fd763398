#include "search/shifted_bounder.h"

namespace bitplan::search {
namespace {

/// Of the shares that the shift is fitted to, how much is spread over all columns of the group: nodes have other
/// minima than the root.
constexpr double kSpread = 0.1;

/// Share of the loss that may be left each time.
constexpr double kSlacks[] = {0.3, 0.1, 0.03};
constexpr int kSweeps = 6;
constexpr double kSlackOfDepths = 0.03;
constexpr int kSweepsOfDepths = 8;

/// How close to the minimum a bound is brought, as a share of its distance from the cutoff.
constexpr double kPrecision = 0.1;

Eigen::VectorXd Spread(const std::vector<Index>& first, const Eigen::VectorXd& shares) {
  Eigen::VectorXd spread(shares.size());
  for (std::size_t g = 0; g + 1 < first.size(); ++g) {
    const Index width = first[g + 1] - first[g];
    spread.segment(first[g], width) =
        (1 - kSpread) * shares.segment(first[g], width).array() + kSpread / static_cast<double>(width);
  }
  return spread;
}

}  // namespace

ShiftedBounder::ShiftedBounder(const Core& core, const QuadraticModel& model, const JointOrder& order,
                               const Eigen::VectorXd& shares, Index depths)
    : constant_(model.constant),
      limits_(Eigen::Map<const Eigen::VectorXd>(core.limits.data(), static_cast<Eigen::Index>(core.budgets()))),
      cost_(core.budgets(), order.column.size()),
      linear_(model.linear(order.column)),
      matrix_(model.matrix(order.column, order.column)) {
  for (std::size_t i = 0; i < core.budgets(); ++i)
    for (std::size_t c = 0; c < order.column.size(); ++c)
      cost_(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(c)) = core.Cost(i, order.column[c]);
  Eigen::VectorXd spread = Spread(order.first, shares);
  BlockShift shift(matrix_, order.first);
  for (const double slack : kSlacks) shift.Fit(spread, slack * shift.LossAt(spread).sum(), kSweeps);
  loss_ = shift.LossAt(spread);
  for (Index depth = 0; depth < depths; ++depth) {
    if (depth > 0) {
      shift = shift.WithoutFirstGroup();
      spread = spread.tail(matrix_.rows() - order.first[depth]).eval();
      shift.Fit(spread, kSlackOfDepths * shift.LossAt(spread).sum(), kSweepsOfDepths);
    }
    Depth at;
    for (std::size_t g = depth; g < order.first.size(); ++g) at.first.push_back(order.first[g] - order.first[depth]);
    const Eigen::Index free = matrix_.rows() - order.first[depth];
    at.matrix = shift.Matrix();
    at.linear = linear_.tail(free) + (matrix_.diagonal().tail(free) - shift.Diagonal()) / 2;
    depths_.push_back(std::move(at));
    cost_at_.push_back(cost_.rightCols(free));
  }
}

QuadraticBound ShiftedBounder::Bound(const JointNode& node, double cutoff, Monitor& monitor) {
  const Depth& at = depths_[node.settled.size()];
  const Eigen::Index free = at.linear.size();
  QuadraticRelaxation relaxation{at.first,  at.matrix, cost_at_[node.settled.size()], node.allowed, constant_,
                                 at.linear, limits_};
  for (const Index c : node.settled) {
    relaxation.constant += linear_[c];
    for (const Index d : node.settled) relaxation.constant += matrix_(d, c) / 2;
    relaxation.linear += matrix_.col(c).tail(free);
    relaxation.rest -= cost_.col(c);
  }
  return BoundFrom(relaxation, node.start, cutoff, kPrecision, monitor);
}

}  // namespace bitplan::search
