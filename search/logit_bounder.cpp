#include "search/logit_bounder.h"

#include <algorithm>
#include <cmath>

#include "search/block_shift.h"

namespace bitplan::search {
namespace {

constexpr int kMostSteps = 8;

/// Below the root, with more columns than these the minorant costs more than its bound is worth.
constexpr std::size_t kMostColumns = 250;

/// How close to the minimum a bound is brought, as a share of its distance from the cutoff.
constexpr double kPrecision = 0.1;

/// (exp(−R) + R − 1) / R², which is ½ at 0.
double LeastShare(double range) {
  return range < 1e-3 ? 0.5 - range / 6 : (std::expm1(-range) + range) / (range * range);
}

}  // namespace

struct LogitBounder::Part {
  double own = 0;         // objectives of the settled groups
  Eigen::VectorXd shift;  // of the settled groups
  std::vector<Index> column, first;
  std::vector<char> allowed;
  RowMatrix cost;
  Eigen::VectorXd linear;
  Eigen::VectorXd rest;

  Eigen::Index groups() const { return static_cast<Eigen::Index>(first.size()) - 1; }
};

LogitBounder::LogitBounder(const Core& core, const LogitObjective& objective, const JointOrder& order,
                           const Eigen::VectorXd& shares)
    : objective_(objective),
      order_(order),
      limits_(LimitsOf(core)),
      cost_(CostsOf(core, order)),
      linear_(objective.linear()(order.column)),
      shifts_(objective.shifts()(Eigen::all, order.column)) {
  hessian_ = objective_.HessianAt(shifts_ * shares, shifts_);
}

LogitBounder::Part LogitBounder::PartOf(const JointNode& node) const {
  Part part;
  part.shift = Eigen::VectorXd::Zero(shifts_.rows());
  part.rest = limits_;
  for (const Index c : node.settled) {
    part.own += linear_[c];
    part.shift += shifts_.col(c);
    part.rest -= cost_.col(c);
  }
  const auto depth = static_cast<Index>(node.settled.size());
  part.first.push_back(0);
  for (Index g = depth; g < order_.groups(); ++g) {
    for (Index c = order_.first[g]; c < order_.first[g + 1]; ++c)
      if (node.allowed[c - order_.first[depth]]) part.column.push_back(c);
    part.first.push_back(static_cast<Index>(part.column.size()));
  }
  part.allowed.assign(part.column.size(), 1);
  part.cost = cost_(Eigen::all, part.column);
  part.linear = linear_(part.column);
  return part;
}

QuadraticBound LogitBounder::Bound(const JointNode& node, double cutoff, Effort effort, Monitor& monitor) {
  const Part part = PartOf(node);
  const Index begin = order_.first[node.settled.size()];
  RelaxedPoint start{Eigen::VectorXd(part.linear.size()), node.start.multipliers};
  for (std::size_t c = 0; c < part.column.size(); ++c)
    start.shares[static_cast<Eigen::Index>(c)] = node.start.shares[part.column[c] - begin];
  for (Eigen::Index g = 0; g < part.groups(); ++g) {
    auto shares = start.shares.segment(part.first[g], part.first[g + 1] - part.first[g]);
    if (shares.sum() < 1e-3) shares.setOnes();
    shares /= shares.sum();
  }
  QuadraticBound best = BoundByTangents(part, std::move(start), cutoff, monitor);
  if (effort == Effort::Full && (node.settled.empty() || part.column.size() <= kMostColumns) && best.bound < cutoff &&
      !monitor.Expired()) {
    const QuadraticBound other = BoundByMinorant(part, best.point, cutoff, monitor);
    const double bound = std::max(best.bound, other.bound);
    best.reduced_loss = (best.reduced_loss.array() + (best.bound - bound))
                            .max(other.reduced_loss.array() + (other.bound - bound))
                            .max(0);
    best.bound = bound;
  }
  QuadraticBound all{best.bound,
                     Eigen::VectorXd::Constant(node.start.shares.size(), kInfinity),
                     {Eigen::VectorXd::Zero(node.start.shares.size()), best.point.multipliers}};
  for (std::size_t c = 0; c < part.column.size(); ++c) {
    all.reduced_loss[part.column[c] - begin] = best.reduced_loss[static_cast<Eigen::Index>(c)];
    all.point.shares[part.column[c] - begin] = best.point.shares[static_cast<Eigen::Index>(c)];
  }
  return all;
}

QuadraticBound LogitBounder::BoundByTangents(const Part& part, RelaxedPoint at, double cutoff, Monitor& monitor) const {
  const Eigen::MatrixXd hessian = hessian_(part.column, part.column);
  QuadraticRelaxation model{part.first, hessian, part.cost, part.allowed, part.own, {}, part.rest};
  QuadraticBound best;
  for (int step = 0;; ++step) {
    Eigen::VectorXd shift = part.shift;
    for (std::size_t c = 0; c < part.column.size(); ++c)
      if (const double share = at.shares[static_cast<Eigen::Index>(c)]; share > 0)
        shift += share * shifts_.col(part.column[c]);
    const LogitObjective::Slope slope = objective_.SlopeAt(shift);
    Eigen::VectorXd gradient = part.linear;
    for (std::size_t c = 0; c < part.column.size(); ++c)
      gradient[static_cast<Eigen::Index>(c)] += slope.derivative.dot(shifts_.col(part.column[c]));
    const double value = part.own + part.linear.dot(at.shares) + slope.value;
    QuadraticBound here = TangentBound(model, value, gradient, at);
    const double priced = value + at.multipliers.dot(part.cost * at.shares - part.rest);
    const double over = at.multipliers.dot((part.cost * at.shares - part.rest).cwiseAbs());
    if (here.bound > best.bound) best = std::move(here);
    const double reach = std::isfinite(cutoff) ? std::abs(cutoff - best.bound) : std::abs(best.bound);
    const bool close = priced - best.bound <= kPrecision * reach && over <= kPrecision * reach;
    if (best.bound >= cutoff || close || step == kMostSteps || monitor.Expired()) return best;
    const Eigen::VectorXd curved = hessian * at.shares;
    model.constant = value - gradient.dot(at.shares) + curved.dot(at.shares) / 2;
    model.linear = gradient - curved;
    at = BoundFrom(model, std::move(at), cutoff, kPrecision / 2, monitor).point;
  }
}

/// Twice ω of every sample: the mean of d less its least entry is, over the classes, at most the sum of what each group
/// can add to it.
Eigen::VectorXd LogitBounder::LeastCurvature(const Part& part, const Eigen::VectorXd& shares,
                                             const Eigen::MatrixXd& below) const {
  const Eigen::Index classes = objective_.classes(), samples = objective_.samples();
  Eigen::VectorXd depth = Eigen::VectorXd::Zero(below.rows());
  for (Eigen::Index g = 0; g < part.groups(); ++g) {
    const auto columns = below.middleCols(part.first[g], part.first[g + 1] - part.first[g]);
    depth += columns.rowwise().maxCoeff() - columns * shares.segment(part.first[g], columns.cols());
  }
  Eigen::VectorXd weights(samples);
  for (Eigen::Index n = 0; n < samples; ++n)
    weights[n] = 2 * LeastShare(depth.segment(n * classes, classes).maxCoeff());
  return weights;
}

QuadraticBound LogitBounder::BoundByMinorant(const Part& part, const RelaxedPoint& at, double cutoff,
                                             Monitor& monitor) const {
  const Eigen::MatrixXd shifts = shifts_(Eigen::all, part.column);
  const Eigen::VectorXd shift = part.shift + shifts * at.shares;
  const LogitObjective::Slope slope = objective_.SlopeAt(shift);
  const Eigen::VectorXd gradient = part.linear + shifts.transpose() * slope.derivative;
  const Eigen::MatrixXd centered = objective_.Center(shift, shifts);
  const Eigen::MatrixXd rows = objective_.CurvatureRows(shift, centered, LeastCurvature(part, at.shares, -centered));
  const Eigen::MatrixXd matrix = GramOf(rows);
  const Eigen::VectorXd curved = matrix * at.shares;
  BlockShift blocks(matrix, part.first);
  blocks.FitDown(Spread(part.first, at.shares));
  const Eigen::MatrixXd shifted = blocks.Matrix();
  const double value = part.own + part.linear.dot(at.shares) + slope.value;
  const QuadraticRelaxation minorant{part.first,
                                     shifted,
                                     part.cost,
                                     part.allowed,
                                     value - gradient.dot(at.shares) + curved.dot(at.shares) / 2,
                                     gradient - curved + (matrix.diagonal() - blocks.Diagonal()) / 2,
                                     part.rest};
  return BoundFrom(minorant, at, cutoff, kPrecision, monitor);
}

}  // namespace bitplan::search
