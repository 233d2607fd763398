#pragma once

#include <cstddef>
#include <vector>

#include "bitplan/problem.h"

namespace bitplan::search {

/// Choices of a problem, numbered in file order, that are taken together.
using Together = std::vector<std::size_t>;

/// A problem without rules, prices and joint term, whose plans are those of the problem it was made from that keep its
/// rules: groups that rules link are one group here, with a choice for everything that they may take together. Costs
/// and objectives add up, prices are part of the objectives, and so whatever solves the one to proof solves the other.
struct LinkedGroups {
  Problem problem;
  std::vector<Together> parts;  ///< per choice here, in file order: what it stands for

  /// The plan of the problem that this was made from.
  std::vector<std::size_t> Expand(const Problem& from, const std::vector<std::size_t>& choices) const;
};

/// Throws Error when rules contradict each other, or leave too many combinations of the groups that they link.
LinkedGroups LinkGroups(const Problem& problem);

/// Every choice by itself: what the parts are where no rule links any.
std::vector<Together> EachAlone(std::size_t choices);

}  // namespace bitplan::search
