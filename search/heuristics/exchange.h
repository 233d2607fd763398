#pragma once

#include "monitor.h"
#include "search/core.h"

namespace bitplan::search {

/// Improves a plan that counts (Goal::Loss) by changing one group, or two at once, for as long as that lowers the loss.
/// `multipliers` price the budgets: of all changes those that cost the least at these prices are tried.
CorePlan Exchange(const Core& core, CorePlan plan, const std::vector<double>& multipliers, Monitor& monitor);

}  // namespace bitplan::search
