#pragma once

#include <cstddef>

#include "heuristics/incumbent.h"
#include "lists/partial_plans.h"
#include "monitor.h"
#include "tree/branch_and_bound.h"

namespace bitplan::search {

/// Dynamic programming over lists of partial plans (Pisinger 1995, A minimal algorithm for the multiple-choice knapsack
/// problem): group by group, those first whose choices are the least settled by the relaxation, each partial plan is
/// extended by every column; what another beats, and what no completion brings below the plan at hand, is left out.
/// Half of the gap goes to the lists: losses that differ by less than their share of it count as equal, so that there
/// are no more partial plans than such shares between the relaxation's bound and the plan, with one budget. So it does
/// what trees cannot: problems whose plans all but equal each other, because losses follow from costs.
///
/// `most`: partial plans kept of a level. The others count with their bounds, which the result's then is: it is
/// complete only when none of them mattered. For Goal::Loss and 1 … kMostBudgetsOfLists budgets; `start` is a plan.
TreeResult SearchByLists(const Core& core, const Node& root, double gap, Incumbent start, std::size_t most,
                         Monitor& monitor);

}  // namespace bitplan::search
