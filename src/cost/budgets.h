#pragma once

#include <map>
#include <string>
#include <vector>

#include "bitplan/cost.h"

namespace bitplan::cost {

/// The budgets of a problem with these groups, by the costs of its choices. Throws Error: unknown cost, a percentage of
/// a cost that is not known at 32 bits, one budget twice.
std::map<std::string, double> BudgetsOf(const Sensitivity& sensitivity, const std::vector<BudgetSpec>& specs,
                                        const std::vector<Group>& groups);

}  // namespace bitplan::cost
