#pragma once

#include <cstddef>

#include "layout.h"
#include "legend.h"

namespace bitplan::plot {

/// Draws the chart of this index with its upper left corner at `corner`.
void DrawPanel(SvgWriter& svg, const std::vector<Chart>& charts, std::size_t index, const Layout& layout,
               const Legend& legend, Pixel corner);

}  // namespace bitplan::plot
