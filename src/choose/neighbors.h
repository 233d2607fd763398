#pragma once

#include <cstddef>
#include <vector>

#include "bitplan/problem.h"

namespace bitplan::choose {

/// One group takes another choice.
struct Change {
  std::size_t group = 0, choice = 0;

  bool operator==(const Change&) const = default;
};

/// `choices` with some changes.
std::vector<std::size_t> Changed(std::vector<std::size_t> choices, const std::vector<Change>& changes);

/// Changes to choices next to those that are taken: no other choice of the group has all its widths between. Of
/// problems made by MakeProblem.
std::vector<Change> NeighborsOf(const Problem& problem, const std::vector<std::size_t>& choices);

/// Whether a plan is within all budgets and keeps all rules.
bool IsAllowed(const Problem& problem, const std::vector<std::size_t>& choices);

}  // namespace bitplan::choose
