#pragma once

#include <vector>

#include "axis.h"
#include "bitplan/plot.h"
#include "plot/svg_writer.h"

namespace bitplan::plot {

/// Sizes in pixels of a panel, which is one chart with its title and labels, and of its fonts.
struct PanelSize {
  double width = 0, height = 0;
  double title_font = 0, label_font = 0, tick_font = 0;
};

/// Axes of all charts of a figure, with margins wide enough for all, so that frames are aligned.
struct Layout {
  PanelSize size;
  double left = 0, right = 0, top = 0, bottom = 0;  ///< margins between a panel's edge and the frame of its axes
  std::vector<Axis> x, y;                           ///< one a chart

  Layout(const std::vector<Chart>& charts, const PanelSize& panel);
};

}  // namespace bitplan::plot
