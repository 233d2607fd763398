#pragma once

#include <cstdint>

#include "tree/branch_and_bound.h"

namespace bitplan::search {

struct Feasibility {
  CorePlan plan;  ///< within every budget; empty when none was found
  bool proven_infeasible = false;
  std::int64_t nodes = 0;
};

/// Looks for a plan within the budgets, whatever its loss, by minimizing the largest share of a budget that is spent.
Feasibility FindFeasiblePlan(const Core& core, const Node& root, Monitor& monitor);

/// The solved root of a core.
Node SolveRoot(const Core& core, Monitor& monitor);

}  // namespace bitplan::search
