#pragma once

#include <cstdint>
#include <optional>

#include "bitplan/search.h"
#include "monitor.h"

namespace bitplan::search {

/// The budget that is furthest from being met on its own, with the plan that spends least of it; nothing when each can
/// be met.
std::optional<Infeasibility> FindUnmeetableBudget(const Problem& problem);

struct Explanation {
  Infeasibility why;
  std::int64_t nodes = 0;  ///< that it took
};

/// Why no plan meets budgets that can each be met alone: the plan with the least relative overrun of any budget, as far
/// as a few hundred nodes and the time let it be found, and the budget that it overruns most.
Explanation ExplainJointInfeasibility(const Problem& problem, Monitor& monitor);

}  // namespace bitplan::search
