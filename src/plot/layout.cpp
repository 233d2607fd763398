#include "layout.h"

#include <algorithm>
#include <string>

#include "plot/text.h"

namespace bitplan::plot {

Layout::Layout(const std::vector<Chart>& charts, const PanelSize& panel) : size(panel) {
  const bool titled =
      std::any_of(charts.begin(), charts.end(), [](const Chart& chart) { return !chart.title.empty(); });
  top = titled ? 2.2 * size.title_font : size.title_font;
  bottom = 2 * size.tick_font + 1.8 * size.label_font;
  right = 2.2 * size.tick_font;
  double widest = 0;
  for (const Chart& chart : charts) {
    y.push_back(MakeYAxis(chart, size.height - top - bottom, size.tick_font));
    for (const Tick& tick : y.back().ticks.ticks) widest = std::max(widest, TextWidth(tick.label, size.tick_font));
  }
  left = 2 * size.label_font + widest + size.tick_font;
  for (const Chart& chart : charts) x.push_back(MakeXAxis(chart, size.width - left - right, size.tick_font));
}

}  // namespace bitplan::plot
