#pragma once

#include <optional>

#include "bitplan/search.h"
#include "search/monitor.h"

namespace bitplan::search {

/// The budget that is furthest from being met on its own, with the plan that spends least of it; nothing when each can
/// be met.
std::optional<Infeasibility> FindUnmeetableBudget(const Problem& problem);

/// Why no plan meets budgets that can each be met alone: the plan with the least relative overrun of any budget, as far
/// as the time lets it be found, and the budget that it overruns most.
Infeasibility ExplainJointInfeasibility(const Problem& problem, Monitor& monitor);

}  // namespace bitplan::search
