#pragma once

#include <vector>

#include "search/core.h"

namespace bitplan::search {

/// Per column a whole number: how many steps its loss lies above a straight line of its costs, for problems whose
/// losses are such a line, the same for all groups but for a constant, and steps beside it (a fixed charge for a width,
/// or for having any). The line is the one that most steps from a choice to the next follow. Empty where losses are no
/// such line, or the line alone.
std::vector<double> SurplusesOf(const Core& core);

}  // namespace bitplan::search
