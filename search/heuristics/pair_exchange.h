#pragma once

#include <cstdint>

#include "heuristics/incumbent.h"
#include "monitor.h"
#include "search/core.h"
#include "tree/branch_and_bound.h"

namespace bitplan::search {

/// A plan (Goal::Loss, one budget or more) better than `start`, or `start`: changes up to four groups at once, of what
/// the relaxation mostly takes (which spends about what is allowed, or more) and then of the best plan found. Pairs of
/// changes that cost little at its multipliers are listed in the order of what they spend, so that for each pair those
/// that use up what it leaves are next to each other: of n changes it looks at n⁴ plans in about n² steps (Horowitz and
/// Sahni 1974). That meets budgets to where plans that all but equal each other differ, which exchanges of two groups
/// do not.
///
/// Ends at a plan within the relative `gap` of the bound of `root`, the whole core, or after `work` pairs.
Incumbent ExchangePairs(const Core& core, const Node& root, double gap, Incumbent start, std::int64_t work,
                        Monitor& monitor);

}  // namespace bitplan::search
