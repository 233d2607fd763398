#include "joint/quadratic_relaxation.h"

#include <algorithm>
#include <cmath>

#include "tuning.h"

namespace bitplan::search {
namespace {

using namespace tuning::joint;

class Minimizer {
 public:
  Minimizer(const QuadraticRelaxation& relaxation, RelaxedPoint start, double cutoff)
      : of_(relaxation), x_(std::move(start.shares)), multipliers_(std::move(start.multipliers)), cutoff_(cutoff) {
    MoveToAllowed();
    use_ = of_.cost * x_;
    prices_ = multipliers_;
    penalty_.resize(of_.rest.size());
    for (Eigen::Index i = 0; i < penalty_.size(); ++i) penalty_[i] = FirstPenalty(i);
  }

  QuadraticBound Run(double share, Monitor& monitor) {
    TakeBound();
    for (int round = 0; round < kMostRoundsOfMultipliers && !Done(share) && !monitor.Expired(); ++round) {
      const double tolerance = Tolerance();
      for (int sweep = 0; sweep < kSweepsPerRound; ++sweep)
        if (Sweep() <= tolerance) break;
      multipliers_ = prices_;
      TakeBound();
      RaisePenalty();
    }
    best_.point = {std::move(x_), std::move(multipliers_)};
    return std::move(best_);
  }

 private:
  Eigen::Index groups() const { return static_cast<Eigen::Index>(of_.first.size()) - 1; }

  void MoveToAllowed() {
    for (Eigen::Index g = 0; g < groups(); ++g) {
      double sum = 0;
      Index cheapest = of_.first[g];
      for (Index c = of_.first[g]; c < of_.first[g + 1]; ++c) {
        if (!of_.allowed[c]) {
          x_[c] = 0;
          continue;
        }
        sum += x_[c];
        if (!of_.allowed[cheapest] || of_.linear[c] < of_.linear[cheapest]) cheapest = c;
      }
      if (sum < 1e-3) {
        x_.segment(of_.first[g], of_.first[g + 1] - of_.first[g]).setZero();
        x_[cheapest] = 1;
      } else {
        x_.segment(of_.first[g], of_.first[g + 1] - of_.first[g]) /= sum;
      }
    }
  }

  /// Of the size of the loss that a budget is worth, so that it weighs as much as the model does.
  double FirstPenalty(Eigen::Index budget) const {
    double widest = 0;
    for (Eigen::Index g = 0; g < groups(); ++g) {
      double low = kInfinity, high = -kInfinity;
      for (Index c = of_.first[g]; c < of_.first[g + 1]; ++c) {
        if (!of_.allowed[c]) continue;
        low = std::min(low, of_.cost(budget, c));
        high = std::max(high, of_.cost(budget, c));
      }
      widest = std::max(widest, high - low);
    }
    const double distance = std::max(std::abs(cutoff_ - of_.constant), tuning::kRounding);
    return widest > 0 ? (std::isfinite(distance) ? distance : 1.0) / (widest * widest) : 1.0;
  }

  void Price() { prices_ = (multipliers_ + penalty_.cwiseProduct(use_ - of_.rest)).cwiseMax(0.0); }

  /// One pairwise step a group; returns the largest decrease rate that there was.
  double Sweep() {
    double worst = 0;
    for (Eigen::Index g = 0; g < groups(); ++g) {
      Price();
      Index best = 0, worse = 0;
      double low = kInfinity, high = -kInfinity;
      for (Index c = of_.first[g]; c < of_.first[g + 1]; ++c) {
        if (!of_.allowed[c]) continue;
        double rate = gradient_[c];
        for (Eigen::Index i = 0; i < prices_.size(); ++i) rate += prices_[i] * of_.cost(i, c);
        if (rate < low) {
          low = rate;
          best = c;
        }
        if (x_[c] > 0 && rate > high) {
          high = rate;
          worse = c;
        }
      }
      if (!(high > low)) continue;
      worst = std::max(worst, (high - low) * x_[worse]);
      Step(worse, best, high - low);
    }
    return worst;
  }

  void Step(Index from, Index to, double rate) {
    double curvature = of_.matrix(from, from) + of_.matrix(to, to) - 2 * of_.matrix(from, to);
    for (Eigen::Index i = 0; i < penalty_.size(); ++i) {
      const double change = of_.cost(i, to) - of_.cost(i, from);
      if (prices_[i] > 0 || change > 0) curvature += penalty_[i] * change * change;
    }
    const double length = rate < curvature * x_[from] ? rate / curvature : x_[from];
    x_[to] += length;
    x_[from] = length == x_[from] ? 0 : x_[from] - length;
    gradient_ += length * (of_.matrix.col(to) - of_.matrix.col(from));
    for (Eigen::Index i = 0; i < use_.size(); ++i) use_[i] += length * (of_.cost(i, to) - of_.cost(i, from));
  }

  /// The tangent's bound, and the model's value with the budgets priced.
  void TakeBound() {
    gradient_ = of_.linear + of_.matrix * x_;  // afresh: the steps' rounding adds up
    const double value = of_.constant + (of_.linear.dot(x_) + gradient_.dot(x_)) / 2;
    priced_value_ = value + multipliers_.dot(use_ - of_.rest);
    QuadraticBound here = TangentBound(of_, value, gradient_, {x_, multipliers_});
    if (here.bound > best_.bound) best_ = std::move(here);
  }

  double Reach() const { return std::isfinite(cutoff_) ? std::abs(cutoff_ - best_.bound) : std::abs(best_.bound); }
  double Tolerance() const { return kLeastStepOfSweeps * Reach() / static_cast<double>(groups()); }

  bool Done(double share) const {
    if (best_.bound >= cutoff_) return true;
    const double over = multipliers_.dot((use_ - of_.rest).cwiseAbs());
    return priced_value_ - best_.bound <= share * Reach() && over <= share * Reach();
  }

  /// A budget that stays violated, or slack while priced, needs a stiffer penalty.
  void RaisePenalty() {
    const Eigen::VectorXd now = (use_ - of_.rest).cwiseMax(-multipliers_.cwiseQuotient(penalty_)).cwiseAbs();
    for (Eigen::Index i = 0; i < penalty_.size(); ++i)
      if (violation_.size() > 0 && now[i] > 0.5 * violation_[i]) penalty_[i] *= 2;
    violation_ = now;
  }

  const QuadraticRelaxation& of_;
  Eigen::VectorXd x_, gradient_, use_;
  Eigen::VectorXd multipliers_, prices_, penalty_, violation_;
  double cutoff_;
  double priced_value_ = 0;
  QuadraticBound best_;
};

}  // namespace

/// What rounding may have added to the bound is taken off again: each term and each sum of n terms is off by at most
/// n ε of its magnitude.
QuadraticBound TangentBound(const QuadraticRelaxation& of, double value, const Eigen::VectorXd& gradient,
                            RelaxedPoint at) {
  QuadraticBound bound;
  bound.reduced_loss = gradient + of.cost.transpose() * at.multipliers;
  bound.bound = value - gradient.dot(at.shares) - at.multipliers.dot(of.rest);
  double magnitude = std::abs(of.constant) + std::abs(value) + gradient.cwiseAbs().dot(at.shares) +
                     at.multipliers.dot(of.rest.cwiseAbs());
  for (std::size_t g = 0; g + 1 < of.first.size(); ++g) {
    double least = kInfinity;
    for (Index c = of.first[g]; c < of.first[g + 1]; ++c)
      if (of.allowed[c]) least = std::min(least, bound.reduced_loss[c]);
    for (Index c = of.first[g]; c < of.first[g + 1]; ++c)
      bound.reduced_loss[c] = of.allowed[c] ? bound.reduced_loss[c] - least : kInfinity;
    bound.bound += least;
    magnitude += std::abs(least);
  }
  bound.bound -= 4 * std::numeric_limits<double>::epsilon() * static_cast<double>(gradient.size() + 8) * magnitude;
  bound.point = std::move(at);
  return bound;
}

QuadraticBound BoundFrom(const QuadraticRelaxation& relaxation, RelaxedPoint start, double cutoff, double share,
                         Monitor& monitor) {
  return Minimizer(relaxation, std::move(start), cutoff).Run(share, monitor);
}

}  // namespace bitplan::search
