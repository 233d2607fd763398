#include <algorithm>
#include <cmath>

#include "joint/logit_objective.h"
#include "tuning.h"

namespace bitplan::search {
namespace {

using namespace tuning::joint;

/// ω(a), which is ½ at 0.
double LeastShare(double range) {
  return range < 1e-3 ? 0.5 - range / 6 : (std::expm1(-range) + range) / (range * range);
}

}  // namespace

QuadraticBound LogitObjective::TangentBound(const JointRegion& region, const RegionBudgets& budgets,
                                            const QuadraticModel& guide, double cutoff, Monitor& monitor) const {
  const auto& column = region.order.column;
  const Eigen::MatrixXd hessian = guide.matrix(column, column);
  const std::vector<char> allowed(column.size(), 1);
  const Eigen::VectorXd ones = Eigen::VectorXd::Ones(static_cast<Eigen::Index>(region.settled.size()));
  const Eigen::VectorXd settled = ShiftOf(region.settled, ones);
  const double own = linear_(region.settled).sum();
  QuadraticRelaxation model{region.order.first, hessian, budgets.cost, allowed, own, {}, budgets.rest};
  RelaxedPoint at = region.point;
  QuadraticBound best;
  for (int step = 0;; ++step) {
    const Slope slope = SlopeAt(settled + ShiftOf(column, at.shares));
    const Eigen::VectorXd gradient = GradientOf(slope)(column);
    const double value = own + linear_(column).dot(at.shares) + slope.value;
    QuadraticBound here = search::TangentBound(model, value, gradient, at);
    const Eigen::VectorXd over = budgets.cost * at.shares - budgets.rest;
    const double priced = value + at.multipliers.dot(over), paid = at.multipliers.dot(over.cwiseAbs());
    if (here.bound > best.bound) best = std::move(here);
    const double reach = std::isfinite(cutoff) ? std::abs(cutoff - best.bound) : std::abs(best.bound);
    const bool close = priced - best.bound <= kPrecisionOfNodes * reach && paid <= kPrecisionOfNodes * reach;
    if (best.bound >= cutoff || close || step == kMostSteps || monitor.Expired()) return best;
    const Eigen::VectorXd curved = hessian * at.shares;
    model.constant = value - gradient.dot(at.shares) + curved.dot(at.shares) / 2;
    model.linear = gradient - curved;
    RelaxedPoint next = BoundFrom(model, at, cutoff, kPrecisionOfNodes / 2, monitor).point;
    const Eigen::VectorXd way = next.shares - at.shares;
    const double rate = linear_(column).dot(way) + next.multipliers.dot(budgets.cost * way);
    const double length = StepLength(settled + ShiftOf(column, at.shares), ShiftOf(column, way), rate);
    at = {at.shares + length * way, std::move(next.multipliers)};
  }
}

double LogitObjective::StepLength(const Eigen::VectorXd& from, const Eigen::VectorXd& way, double rate) const {
  double length = 1, least = kInfinity;
  for (double tried = 1; tried >= kShortestStep; tried /= 2) {
    const double there = tried * rate + SlopeAt(from + tried * way).value;
    if (there >= least) break;
    least = there;
    length = tried;
  }
  return length;
}

LogitObjective::Parts LogitObjective::PartsOf(const std::vector<Index>& column) const {
  std::vector<int> position(static_cast<std::size_t>(parts_.cols()), -1);
  std::vector<Eigen::Triplet<double>> taken;
  Parts parts;
  for (std::size_t c = 0; c < column.size(); ++c)
    for (Takes::InnerIterator part(takes_, column[c]); part; ++part) {
      int& at = position[static_cast<std::size_t>(part.row())];
      if (at < 0) {
        at = static_cast<int>(parts.number.size());
        parts.number.push_back(static_cast<Index>(part.row()));
      }
      taken.emplace_back(at, static_cast<int>(c), 1.0);
    }
  parts.takes.resize(static_cast<Eigen::Index>(parts.number.size()), static_cast<Eigen::Index>(column.size()));
  parts.takes.setFromTriplets(taken.begin(), taken.end());
  return parts;
}

QuadraticModel LogitObjective::MinorantOver(const JointRegion& region, const Eigen::VectorXd& shares) const {
  const auto& column = region.order.column;
  const auto [part, takes] = PartsOf(column);
  const Eigen::VectorXd ones = Eigen::VectorXd::Ones(static_cast<Eigen::Index>(region.settled.size()));
  const Eigen::VectorXd shift = ShiftOf(region.settled, ones) + ShiftOf(column, shares);
  const Slope slope = SlopeAt(shift);
  const Eigen::VectorXd gradient = GradientOf(slope)(column);
  Eigen::MatrixXd centered = Centered(shift, part);

  // Σ q d − min d over the classes is at most the sum of what each group can add to it.
  Eigen::VectorXd depth = centered * (takes * shares);
  for (Index g = 0; g < region.order.groups(); ++g) {
    const Eigen::MatrixXd of_group = centered * takes.middleCols(region.order.first[g], region.order.Width(g));
    depth -= of_group.rowwise().minCoeff();
  }
  Eigen::VectorXd weights(samples_);
  for (Eigen::Index n = 0; n < samples_; ++n)
    weights[n] = 2 * LeastShare(depth.segment(n * classes_, classes_).maxCoeff());

  QuadraticModel model;
  model.matrix = takes.transpose() * CurvatureOf(shift, std::move(centered), weights) * takes;
  const Eigen::VectorXd curved = model.matrix * shares;
  const double value = linear_(region.settled).sum() + linear_(column).dot(shares) + slope.value;
  model.constant = value - gradient.dot(shares) + curved.dot(shares) / 2;
  model.linear = gradient - curved;
  return model;
}

}  // namespace bitplan::search
