#include "joint/joint_exchange.h"

#include <algorithm>
#include <random>

#include "tuning.h"

namespace bitplan::search {
namespace {

using namespace tuning::joint;

/// One or two columns to change to; equal ones are a single change.
struct JointMove {
  double change = 0;
  Index first = 0, second = 0;

  bool operator<(const JointMove& other) const { return change < other.change; }
};

/// The moves that the model holds to be the best, at most kMostTried of them, best first.
class Ranking {
 public:
  Ranking(const Core& core, const QuadraticModel& model, const CorePlan& plan)
      : core_(core), model_(model), plan_(plan), single_(core.columns()) {
    left_ = core.limits;
    for (std::size_t i = 0; i < core.budgets(); ++i)
      for (const Index column : plan) left_[i] -= core.Cost(i, column);
    Eigen::VectorXd field = model.linear;
    for (const Index column : plan) field += model.matrix.col(column);
    for (Index a = 0; a < core.columns(); ++a) {
      const Index now = Now(a);
      single_[a] = field[a] - field[now] - model.matrix(a, now) + (model.matrix(now, now) + model.matrix(a, a)) / 2;
    }
  }

  std::vector<JointMove> Best(Monitor& monitor) {
    for (Index a = 0; a < core_.columns() && !monitor.Expired(); ++a) {
      if (a == Now(a)) continue;
      if (Fits(a, a)) Consider({single_[a], a, a});
      for (Index b = core_.first[core_.group[a] + 1]; b < core_.columns(); ++b) {
        const Index from = Now(a), with = Now(b);
        if (b == with) continue;
        const double change = single_[a] + single_[b] + model_.matrix(a, b) - model_.matrix(a, with) -
                              model_.matrix(from, b) + model_.matrix(from, with);
        if (change < worst_ && Fits(a, b)) Consider({change, a, b});
      }
    }
    std::sort_heap(moves_.begin(), moves_.end());
    return std::move(moves_);
  }

 private:
  Index Now(Index column) const { return plan_[core_.group[column]]; }

  bool Fits(Index a, Index b) const {
    for (std::size_t i = 0; i < core_.budgets(); ++i) {
      double more = core_.Cost(i, a) - core_.Cost(i, Now(a));
      if (b != a) more += core_.Cost(i, b) - core_.Cost(i, Now(b));
      if (more > left_[i]) return false;
    }
    return true;
  }

  void Consider(const JointMove& move) {
    if (!(move.change < worst_)) return;
    moves_.push_back(move);
    std::push_heap(moves_.begin(), moves_.end());
    if (moves_.size() <= kMostTried) return;
    std::pop_heap(moves_.begin(), moves_.end());
    moves_.pop_back();
    worst_ = moves_.front().change;
  }

  const Core& core_;
  const QuadraticModel& model_;
  const CorePlan& plan_;
  std::vector<double> single_;    // change of the model, per column
  std::vector<double> left_;      // of each budget
  std::vector<JointMove> moves_;  // heap, worst on top
  double worst_ = 0;
};

Eigen::VectorXd IndicatorOf(const Core& core, const CorePlan& plan) {
  Eigen::VectorXd x = Eigen::VectorXd::Zero(static_cast<Eigen::Index>(core.columns()));
  for (const Index column : plan) x[column] = 1;
  return x;
}

/// The first move that lowers the objective; returns whether there is any.
bool TakeMove(const Core& core, const JointObjective& objective, const std::vector<JointMove>& moves, CorePlan& plan,
              double& value) {
  for (const JointMove& move : moves) {
    CorePlan changed = plan;
    changed[core.group[move.first]] = move.first;
    changed[core.group[move.second]] = move.second;
    const double changed_value = objective.Value(changed);
    if (!(changed_value < value) || core.Value(changed) == kInfinity) continue;
    plan = std::move(changed);
    value = changed_value;
    return true;
  }
  return false;
}

CorePlan Kick(const Core& core, const JointOrder& order, CorePlan plan, std::mt19937_64& random) {
  for (int i = 0; i < kGroupsAKick; ++i) {
    const Index column = order.column[random() % order.column.size()];
    CorePlan changed = plan;
    changed[core.group[column]] = column;
    if (core.Value(changed) < kInfinity) plan = std::move(changed);
  }
  return plan;
}

QuadraticModel ModelAt(const Core& core, const JointObjective& objective, const CorePlan& plan) {
  return objective.ExpandAt(IndicatorOf(core, plan));
}

/// Exchanges for as long as the model finds some that lower the objective. Returns whether it found any.
bool Descend(const Core& core, const JointObjective& objective, const QuadraticModel& model, CorePlan& plan,
             double& value, Monitor& monitor) {
  bool moved = false;
  while (!monitor.Expired() && TakeMove(core, objective, Ranking(core, model, plan).Best(monitor), plan, value))
    moved = true;
  return moved;
}

}  // namespace

CorePlan ExchangeJointly(const Core& core, const JointObjective& objective, CorePlan plan, Monitor& monitor) {
  double value = objective.Value(plan);
  while (Descend(core, objective, ModelAt(core, objective, plan), plan, value, monitor)) {
  }
  return plan;
}

CorePlan KickAndExchange(const Core& core, const JointObjective& objective, const JointOrder& order, CorePlan plan,
                         int kicks, Monitor& monitor) {
  std::mt19937_64 random(0);
  double value = objective.Value(plan);
  QuadraticModel model = ModelAt(core, objective, plan);
  for (int kick = 0; kick < kicks && !monitor.Expired(); ++kick) {
    CorePlan other = Kick(core, order, plan, random);
    double other_value = objective.Value(other);
    Descend(core, objective, model, other, other_value, monitor);
    if (other_value >= value) continue;
    plan = ExchangeJointly(core, objective, std::move(other), monitor);
    value = objective.Value(plan);
    model = ModelAt(core, objective, plan);
  }
  return plan;
}

}  // namespace bitplan::search
