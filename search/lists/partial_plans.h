#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace bitplan::search {

/// Most budgets of problems whose partial plans are listed: with more, too few are beaten by others.
inline constexpr std::size_t kMostBudgetsOfLists = 2;

/// Choices for the first groups of an order.
struct PartialPlan {
  double loss = 0;
  std::array<double, kMostBudgetsOfLists> cost = {};  ///< unused ones 0
  double bound = 0;                                   ///< no plan that begins so is below it
  std::uint32_t origin = 0;  ///< which of the level before, times columns of the group, + column
};

/// Leaves out of `plans`, sorted by the first cost, those that another beats: that costs no more of anything and has a
/// loss of at most `margin` more. Of equal ones the first stays.
void RemoveBeaten(std::vector<PartialPlan>& plans, double margin);

}  // namespace bitplan::search
