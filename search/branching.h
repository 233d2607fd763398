#pragma once

#include <vector>

#include "search/relaxation.h"

namespace bitplan::search {

/// Ways to divide a subproblem with free groups in two: for each group that the relaxation splits, its columns by the loss or
/// by a cost, at the mean that the relaxation takes. Where it splits none, the columns of the first free group.
/// Of each branch one of the sides, `below`, is given; a side may turn out empty, but not of all branches.
std::vector<Branch> ProposeBranches(const Core& core, const Subproblem& part, const Relaxation& relaxation);

}  // namespace bitplan::search
