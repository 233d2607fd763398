#pragma once

#include <vector>

#include "bitplan/plot.h"

namespace bitplan::plot {

/// Throws Error naming chart, series and index unless every chart can be drawn.
void CheckCharts(const std::vector<Chart>& charts);

}  // namespace bitplan::plot
