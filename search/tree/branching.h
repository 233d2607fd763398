#pragma once

#include <vector>

#include "relaxation/relaxation.h"

namespace bitplan::search {

/// Ways to divide a subproblem with free groups in two, none of them empty on either side, at least one: for each group
/// that the relaxation splits, its columns by the loss or by a cost, at the mean that the relaxation takes. Where that
/// gives none, the columns of the first free group. Of each branch one side is given, `below`.
/// `budgets`: the first ones of the core, whose costs divide columns; the others are cuts.
std::vector<Branch> ProposeBranches(const Core& core, const Subproblem& part, const Relaxation& relaxation,
                                    std::size_t budgets);

}  // namespace bitplan::search
