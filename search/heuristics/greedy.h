#pragma once

#include <vector>

#include "heuristics/incumbent.h"
#include "monitor.h"

namespace bitplan::search {

/// From the cheapest plan up: takes again and again the choice that lowers the loss most for what it costs more, as
/// long as it stays within every budget; then exchanges. Costs are weighed in two ways, in equal shares of the budgets
/// and by the `multipliers` of the relaxation, and the better plan counts. None when the cheapest plans are over a
/// budget.
Incumbent SearchGreedily(const Core& core, const std::vector<double>& multipliers, Monitor& monitor);

}  // namespace bitplan::search
