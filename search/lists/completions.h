#pragma once

#include <cstddef>
#include <vector>

#include "core/subproblem.h"

namespace bitplan::search {

/// How partial plans can go on, by the relaxation of one sum of their costs: with the costs of a column weighed into
/// one number, the best that the open groups can still do with what is left of the weighed budget. Columns of a group
/// that are on the lower hull of (cost, loss) are taken step by step, those steps that lower the loss most for their
/// cost first (Sinha and Zoltners 1979); as many as fit make a plan, with a share of the next a bound.
class Completions {
 public:
  /// `order`: the free groups of `part` in the order in which plans are extended. `weights`: per budget, ≥ 0, not all
  /// 0.
  Completions(const Subproblem& part, const std::vector<Index>& order, std::vector<double> weights);

  /// From now on the groups from `level` of the order on are open.
  void Open(std::size_t level);

  double Weighed(const double* costs) const;

  /// The least that the open groups cost.
  double Least() const { return cost_.front(); }

  /// Steps that fit into `rest`, which is at least Least(); quick where it is about that of the call before.
  std::size_t StepsIn(double rest);

  /// Loss of the open groups that no completion within `rest` is below, of which `steps` fit.
  double Bound(std::size_t steps, double rest) const {
    if (steps + 1 >= cost_.size()) return loss_[steps];
    return loss_[steps] - (rest - cost_[steps]) * gain_[steps];
  }

  double Loss(std::size_t steps) const { return loss_[steps]; }  ///< of the completion by so many steps
  double Cost(std::size_t budget, std::size_t steps) const { return of_budget_[budget][steps]; }  ///< likewise

  /// The columns, of the part, that the open groups have after so many steps, by their place in the order.
  std::vector<Index> Columns(std::size_t steps) const;

 private:
  struct Step {
    std::size_t level = 0;
    Index from = 0, to = 0;     // columns of the part
    double cost = 0, gain = 0;  // weighed, and loss taken off for each unit of it
  };

  void AddHull(std::size_t level, Index begin, Index end);

  const Subproblem& part_;
  const std::vector<double> weights_;
  std::vector<double> weighed_;  // per column of the part
  std::vector<Index> cheapest_;  // per level
  std::vector<Step> steps_;      // of all groups, largest gain first
  std::size_t level_ = 0, hint_ = 0;
  std::vector<double> cost_, loss_, gain_;  // after so many steps of the open groups; gain of the next
  std::vector<std::vector<double>> of_budget_;
};

}  // namespace bitplan::search
