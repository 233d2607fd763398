#pragma once

#include "relaxation/relaxation.h"

namespace bitplan::search {

/// The best plan that differs from a relaxation's leading columns in the groups that it splits only. Tries the columns
/// of those groups in all combinations, of the least reduced losses where there are too many. Empty when none
/// has a value under `below`, to rounding.
CorePlan Round(const Core& core, const Subproblem& part, const Relaxation& relaxation, double below);

}  // namespace bitplan::search
