#include <fmt/format.h>

#include <algorithm>

#include "bitplan/error.h"
#include "bitplan/plot.h"
#include "check.h"
#include "layout.h"
#include "legend.h"
#include "panel.h"

namespace bitplan {

namespace {

constexpr double kWidth = 720, kHeight = 440, kLeastHeight = 300;
constexpr double kPanelWidth = 360, kPanelHeight = 300;

std::string Draw(const std::vector<Chart>& charts, std::size_t columns, const plot::PanelSize& panel,
                 const plot::Legend& legend) {
  const std::size_t rows = (charts.size() + columns - 1) / columns;
  const double width = panel.width * static_cast<double>(columns), height = panel.height * static_cast<double>(rows);
  const plot::Layout layout(charts, panel);
  plot::SvgWriter svg(width, height + legend.Height(width, panel.label_font),
                      charts.size() == 1 ? charts[0].title : "");
  for (std::size_t i = 0; i < charts.size(); ++i)
    plot::DrawPanel(svg, charts, i, layout, legend,
                    {panel.width * static_cast<double>(i % columns), panel.height * static_cast<double>(i / columns)});
  legend.Draw(svg, height, width, panel.label_font);
  return svg.Finish();
}

}  // namespace

std::string ToSvg(const Chart& chart) {
  plot::CheckCharts({chart});
  const plot::Legend legend({chart});
  plot::PanelSize panel{kWidth, kHeight, 16, 14, 12};
  panel.height = std::max(kHeight - legend.Height(panel.width, panel.label_font), kLeastHeight);
  return Draw({chart}, 1, panel, legend);
}

std::string ToSvg(const std::vector<Chart>& charts, int columns) {
  if (columns < 1) throw Error(fmt::format("plot: {} columns; expected at least 1", columns));
  plot::CheckCharts(charts);
  return Draw(charts, std::min(static_cast<std::size_t>(columns), charts.size()),
              {kPanelWidth, kPanelHeight, 14, 12, 11}, plot::Legend(charts));
}

}  // namespace bitplan
