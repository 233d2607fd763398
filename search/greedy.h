#pragma once

#include "search/core.h"
#include "search/monitor.h"

namespace bitplan::search {

/// From the cheapest plan up: takes again and again the choice that lowers the loss most for what it costs more, as long as
/// it stays within every budget. `prices` weigh the budgets, one each, ≥ 0. Empty when the cheapest plan at these prices,
/// and the one at equal shares of every budget, are both over a budget.
CorePlan Greedy(const Core& core, const std::vector<double>& prices, Monitor& monitor);

}  // namespace bitplan::search
