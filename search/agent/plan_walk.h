#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "ddpg.h"
#include "plan_space.h"

namespace bitplan::agent {

/// The ten numbers of every step, each in [0, 1]. Where all groups have shapes, those of HAQ: place in the network,
/// input and output channels, kernel, stride, feature size, parameters, depthwise or not, weight or activation,
/// previous action; each over the largest. Elsewhere what the problem knows takes the shape's place: how loss and costs
/// depend on the group's choices, how much of the budgets is left and how much is ahead.
class StepStates {
 public:
  explicit StepStates(const PlanSpace& space);

  /// `left`: of the budget that is tightest, the share that is not settled, 0 … 1.
  AgentState At(std::size_t group, std::size_t coordinate, double left, double previous_action) const;

 private:
  struct OfGroup {
    float place = 0, ahead = 0, range = 0, middle = 0, most = 0, least = 0;
    std::vector<float> values, activation;  // by coordinate
    std::array<float, 7> shape{};
  };
  void AddShapes(const std::vector<SpaceGroup>& groups);

  std::vector<OfGroup> groups_;
  bool have_shapes_ = false;
};

/// One plan in the making, which always leaves one within the budgets.
class PlanWalk {
 public:
  /// `plan`: rows of some plan within the budgets.
  PlanWalk(const PlanSpace& space, const StepStates& states, std::vector<std::size_t> plan);

  bool Done() const { return group_ == space_.groups().size(); }
  AgentState State() const;  ///< needs a step that is to be taken

  /// Takes the value of the next coordinate that the action in [0, 1] stands for, or the nearest that leaves a plan.
  /// Returns the action that stands for what was taken.
  double Take(double action);

  /// Of the finished plan.
  std::vector<std::size_t> Choices() const { return space_.ChoicesOf(plan_); }

 private:
  void SettleDecidedGroups();
  bool TryValue(std::size_t value);

  const PlanSpace& space_;
  const StepStates& states_;
  std::vector<std::size_t> plan_;  // a plan within the budgets that takes all that is decided
  std::vector<double> spent_;      // by the groups before group_
  std::vector<std::size_t> open_;  // rows of group_ that agree with what is decided of it
  std::size_t group_ = 0, coordinate_ = 0;
  double previous_action_ = 1;
};

}  // namespace bitplan::agent
